package delta_test

import (
	"context"
	"fmt"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
)

// An epoch is committed once, however often the commit is repeated.
func ExampleTable() {
	ctx := context.Background()
	store := mem.New()
	table, err := delta.NewTable(delta.Config{
		Name: "pins", Pipeline: "demo", Store: store,
		Schema: column.Schema{{Name: "id", Type: column.Of(column.Long), Required: true}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	state, err := table.Open(ctx, "7b1e")
	if err != nil {
		fmt.Println(err)
		return
	}
	file := engine.File{Path: "part-0.parquet", Size: 100, Rows: 3}
	file.Add = delta.AddAction(file.Path, nil, file.Size, 1714557600000, `{"numRecords":3}`)
	p := engine.Prepared{Table: "pins", ID: state.ID, Prev: state.Epoch, Epoch: 1, Files: []engine.File{file}}
	for range 2 {
		version, err := table.Commit(ctx, p, engine.CommitInfo{Pipeline: "demo", Epoch: 1})
		fmt.Println("epoch 1 is version", version, err)
	}
	// Output:
	// epoch 1 is version 1 <nil>
	// epoch 1 is version 1 <nil>
}

func ExampleLoad() {
	ctx := context.Background()
	store := mem.New()
	_ = store.Put(ctx, "pins/_delta_log/00000000000000000000.json", []byte(`{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{"metaData":{"id":"1","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}
{"add":{"path":"part%200.parquet","partitionValues":{},"size":100,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":3}"}}
`))
	s, err := delta.Load(ctx, blob.Sub(store, "pins"), delta.Latest)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, add := range s.Files() {
		name, _ := add.Name()
		rows, _ := add.Rows()
		fmt.Println(s.Schema()[0], name, rows)
	}
	// Output: id: long part 0.parquet 3
}

func ExampleStats() {
	ids := column.New(column.Of(column.Long)).(*column.Longs)
	ids.Append(3)
	ids.Append(9)
	s := delta.NewStats(column.Schema{{Name: "id", Type: ids.Type()}}, delta.Indexing{})
	s.Add(1000, []delta.ColumnSummary{{Nulls: 10, Ends: ids}})
	fmt.Println(s.JSON())
	// Output: {"numRecords":1000,"minValues":{"id":3},"maxValues":{"id":9},"nullCount":{"id":10}}
}

func ExamplePartitionPath() {
	city := "Oslo/Sør"
	fmt.Println(delta.PartitionPath([]string{"city", "day"}, []*string{&city, nil}))
	// Output: city=Oslo%2FSør/day=__HIVE_DEFAULT_PARTITION__
}
