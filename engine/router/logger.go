package router

import (
	"log/slog"

	"github.com/ThreeDotsLabs/watermill"
)

// Logger is l for Watermill's parts. Their news about each start and stop is of no use to people who run
// pipelines, so it comes two steps lower than Watermill has it: only warnings and errors stand out.
func Logger(l *slog.Logger) watermill.LoggerAdapter {
	return watermill.NewSlogLoggerWithLevelMapping(l, map[slog.Level]slog.Level{
		slog.LevelInfo:       slog.LevelDebug,
		slog.LevelDebug:      slog.LevelDebug - 4,
		watermill.LevelTrace: slog.LevelDebug - 8,
	})
}
