package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/spec"
)

// defaultHTTP is where run listens unless --http says otherwise.
const defaultHTTP = "127.0.0.1:8089"

// An address says where a running pipeline can be asked; tail finds it in the lake.
type address struct {
	HTTP string `json:"http"` // host:port
	PID  int    `json:"pid"`
}

func addressName(pipeline string) string { return "_millrace/" + pipeline + "/address.json" }

// writeAddress leaves the address where tail --from FILE looks.
func writeAddress(ctx context.Context, lake blob.Store, pipeline, http string) error {
	data, err := json.Marshal(address{HTTP: http, PID: os.Getpid()})
	if err != nil {
		return err
	}
	return lake.Put(ctx, addressName(pipeline), data)
}

func readAddress(def *spec.Definition) (string, error) {
	lake, err := openLake(def.Lake)
	if err != nil {
		return "", err
	}
	data, err := lake.Get(context.Background(), addressName(def.Plan.Pipeline))
	if err != nil {
		return "", err
	}
	var a address
	if err := json.Unmarshal(data, &a); err != nil {
		return "", fmt.Errorf("%s: %w", addressName(def.Plan.Pipeline), err)
	}
	return a.HTTP, nil
}
