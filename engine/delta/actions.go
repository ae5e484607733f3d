package delta

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// An action is one line of a log entry: an object with one field that is set. What has a name that is not
// here is ignored, as the protocol asks.
type action struct {
	Protocol *Protocol       `json:"protocol,omitempty"`
	Metadata *Metadata       `json:"metaData,omitempty"`
	Add      *Add            `json:"add,omitempty"`
	Remove   *Remove         `json:"remove,omitempty"`
	Txn      *Txn            `json:"txn,omitempty"`
	Info     json.RawMessage `json:"commitInfo,omitempty"` // see info: writers put there what they like
}

// Protocol says what a program must know to read and to write the table.
type Protocol struct {
	MinReader      int      `json:"minReaderVersion"`
	MinWriter      int      `json:"minWriterVersion"`
	ReaderFeatures []string `json:"readerFeatures,omitempty"` // with MinReader 3
	WriterFeatures []string `json:"writerFeatures,omitempty"` // with MinWriter 7
}

// Metadata is what a table is, apart from its files.
type Metadata struct {
	ID            string            `json:"id"` // a UUID, made with the table
	Name          string            `json:"name,omitempty"`
	Description   string            `json:"description,omitempty"`
	Format        Format            `json:"format"`
	SchemaString  string            `json:"schemaString"` // see ParseSchema
	PartitionBy   []string          `json:"partitionColumns"`
	Configuration map[string]string `json:"configuration"`
	CreatedMillis int64             `json:"createdTime,omitempty"` // since 1970 UTC
}

// Format is the format of the data files: always Parquet.
type Format struct {
	Provider string            `json:"provider"`
	Options  map[string]string `json:"options"`
}

// Add makes a data file part of the table.
type Add struct {
	Path            string             `json:"path"` // percent-encoded, relative to the table
	PartitionValues map[string]*string `json:"partitionValues"`
	Size            int64              `json:"size"`             // bytes
	ModifiedMillis  int64              `json:"modificationTime"` // since 1970 UTC
	DataChange      bool               `json:"dataChange"`       // false: the rows were in the table before
	Stats           string             `json:"stats,omitempty"`  // JSON, see Stats.JSON
	Tags            map[string]*string `json:"tags,omitempty"`
	DeletionVector  *deletionVector    `json:"deletionVector,omitempty"`
}

// deletionVector is kept as far as it tells two logical files of one path apart.
type deletionVector struct {
	Storage string `json:"storageType"`
	Path    string `json:"pathOrInlineDv"`
	Offset  *int64 `json:"offset,omitempty"`
}

// Name is the file's name relative to the table as the store has it.
func (a *Add) Name() (string, error) { return decodePath(a.Path) }

// Rows is the number of rows in the file, if the log says it.
func (a *Add) Rows() (rows int64, ok bool) {
	var s struct {
		NumRecords *int64 `json:"numRecords"`
	}
	if json.Unmarshal([]byte(a.Stats), &s) != nil || s.NumRecords == nil {
		return 0, false
	}
	return *s.NumRecords, true
}

// Remove takes a data file out of the table. It stays in the log, as a tombstone, until vacuum may delete
// the file.
type Remove struct {
	Path            string             `json:"path"` // as in the Add
	DeletedMillis   int64              `json:"deletionTimestamp,omitempty"`
	DataChange      bool               `json:"dataChange"`                     // false: the rows are in the table in other files
	Extended        bool               `json:"extendedFileMetadata,omitempty"` // the next two are set
	PartitionValues map[string]*string `json:"partitionValues,omitempty"`
	Size            int64              `json:"size,omitempty"` // bytes
	DeletionVector  *deletionVector    `json:"deletionVector,omitempty"`
}

// Name is the file's name relative to the table as the store has it.
func (r *Remove) Name() (string, error) { return decodePath(r.Path) }

// remove is the tombstone of an added file.
func (a *Add) remove(millis int64, dataChange bool) *Remove {
	return &Remove{
		Path: a.Path, DeletedMillis: millis, DataChange: dataChange,
		Extended: true, PartitionValues: a.PartitionValues, Size: a.Size, DeletionVector: a.DeletionVector,
	}
}

// Txn says how far an application has come in writing to the table.
type Txn struct {
	AppID         string `json:"appId"`
	Version       int64  `json:"version"`
	UpdatedMillis int64  `json:"lastUpdated,omitempty"`
}

// CommitInfo says who made a log entry and why. It is for people and monitors: nothing but TxnID is read
// back by the engine, and checkpoints do not keep it.
type CommitInfo struct {
	Millis         int64                      `json:"timestamp"` // since 1970 UTC
	Operation      string                     `json:"operation"`
	Parameters     map[string]json.RawMessage `json:"operationParameters,omitempty"` // strings; of some writers any JSON
	ReadVersion    *int64                     `json:"readVersion,omitempty"`
	IsolationLevel string                     `json:"isolationLevel,omitempty"`
	BlindAppend    *bool                      `json:"isBlindAppend,omitempty"`
	Metrics        map[string]json.RawMessage `json:"operationMetrics,omitempty"`
	EngineInfo     string                     `json:"engineInfo,omitempty"`
	TxnID          string                     `json:"txnId,omitempty"` // a UUID an attempt, by which a writer knows its own entry
}

// AddAction is the line of the log that makes a data file part of the table. name is the file's name relative
// to the table as the store has it; values has a value, nil for null, for each partition column; size is in bytes,
// modified in milliseconds since 1970 UTC, stats what Stats.JSON gives.
func AddAction(name string, values map[string]*string, size, modified int64, stats string) json.RawMessage {
	if values == nil {
		values = map[string]*string{} // the protocol asks for an object
	}
	return line(action{Add: &Add{Path: encodePath(name), PartitionValues: values, Size: size, ModifiedMillis: modified, DataChange: true, Stats: stats}})
}

// ParseAdd reads what AddAction gives for a file in a folder of the table, "" for its root, and of a partition.
func ParseAdd(raw json.RawMessage, folder string, values map[string]*string) (*Add, error) {
	var a action
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, fmt.Errorf("an add action: %w", err)
	}
	if a.Add == nil {
		return nil, fmt.Errorf("no add action: %s", raw)
	}
	name, err := a.Add.Name()
	if err != nil {
		return nil, err
	}
	if folder != "" {
		name = folder + "/" + name
	}
	a.Add.Path, a.Add.PartitionValues = encodePath(name), values
	return a.Add, nil
}

// line is an action as a line of the log, without the line's end.
func line(a action) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(a); err != nil { // actions hold nothing that JSON can't say
		panic(fmt.Sprintf("delta: encode an action: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
