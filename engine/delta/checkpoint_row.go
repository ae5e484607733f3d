package delta

// The rows of a checkpoint's Parquet file (PROTOCOL.md, Checkpoint Schema): each is one action, in the column
// of its kind, and null in the others. Columns that are not here are passed over when a checkpoint is read:
// parsed statistics and partition values say again what stats and partitionValues say, and what belongs to
// table features that are not known is in tables that are refused.
type (
	checkpointRow struct {
		Txn      *txnRow      `parquet:"txn,optional"`
		Add      *addRow      `parquet:"add,optional"`
		Remove   *removeRow   `parquet:"remove,optional"`
		Metadata *metadataRow `parquet:"metaData,optional"`
		Protocol *protocolRow `parquet:"protocol,optional"`
	}

	// lightRow is what a state that keeps no files needs of a row.
	lightRow struct {
		Txn      *txnRow      `parquet:"txn,optional"`
		Metadata *metadataRow `parquet:"metaData,optional"`
		Protocol *protocolRow `parquet:"protocol,optional"`
	}

	txnRow struct {
		AppID         *string `parquet:"appId,optional"`
		Version       *int64  `parquet:"version,optional"`
		UpdatedMillis *int64  `parquet:"lastUpdated,optional"`
	}
	addRow struct {
		Path            *string            `parquet:"path,optional"`
		PartitionValues map[string]*string `parquet:"partitionValues,optional"`
		Size            *int64             `parquet:"size,optional"`
		ModifiedMillis  *int64             `parquet:"modificationTime,optional"`
		DataChange      *bool              `parquet:"dataChange,optional"`
		Stats           *string            `parquet:"stats,optional"`
		Tags            map[string]*string `parquet:"tags,optional"`
		DeletionVector  *vectorRow         `parquet:"deletionVector,optional"`
	}
	removeRow struct {
		Path            *string            `parquet:"path,optional"`
		DeletedMillis   *int64             `parquet:"deletionTimestamp,optional"`
		DataChange      *bool              `parquet:"dataChange,optional"`
		Extended        *bool              `parquet:"extendedFileMetadata,optional"`
		PartitionValues map[string]*string `parquet:"partitionValues,optional"`
		Size            *int64             `parquet:"size,optional"`
		DeletionVector  *vectorRow         `parquet:"deletionVector,optional"`
	}
	// vectorRow has all columns of a deletion vector: readers want none of them or all.
	vectorRow struct {
		Storage     *string `parquet:"storageType,optional"`
		Path        *string `parquet:"pathOrInlineDv,optional"`
		Offset      *int32  `parquet:"offset,optional"`
		Size        *int32  `parquet:"sizeInBytes,optional"`
		Cardinality *int64  `parquet:"cardinality,optional"`
	}
	metadataRow struct {
		ID            *string            `parquet:"id,optional"`
		Name          *string            `parquet:"name,optional"`
		Description   *string            `parquet:"description,optional"`
		Format        *formatRow         `parquet:"format,optional"`
		SchemaString  *string            `parquet:"schemaString,optional"`
		PartitionBy   []string           `parquet:"partitionColumns,optional,list" parquet-element:",optional"`
		Configuration map[string]*string `parquet:"configuration,optional"`
		CreatedMillis *int64             `parquet:"createdTime,optional"`
	}
	formatRow struct {
		Provider *string            `parquet:"provider,optional"`
		Options  map[string]*string `parquet:"options,optional"`
	}
	protocolRow struct {
		MinReader      *int32   `parquet:"minReaderVersion,optional"`
		MinWriter      *int32   `parquet:"minWriterVersion,optional"`
		ReaderFeatures []string `parquet:"readerFeatures,optional,list" parquet-element:",optional"`
		WriterFeatures []string `parquet:"writerFeatures,optional,list" parquet-element:",optional"`
	}
)

// val is what p points at, or the zero value: of what a writer left out.
func val[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func (r *txnRow) action() *Txn {
	return &Txn{AppID: val(r.AppID), Version: val(r.Version), UpdatedMillis: val(r.UpdatedMillis)}
}

func (r *addRow) action() *Add {
	return &Add{
		Path: val(r.Path), PartitionValues: r.PartitionValues, Size: val(r.Size), ModifiedMillis: val(r.ModifiedMillis),
		DataChange: val(r.DataChange), Stats: val(r.Stats), Tags: r.Tags, DeletionVector: r.DeletionVector.vector(),
	}
}

func (r *removeRow) action() *Remove {
	return &Remove{
		Path: val(r.Path), DeletedMillis: val(r.DeletedMillis), DataChange: val(r.DataChange), Extended: val(r.Extended),
		PartitionValues: r.PartitionValues, Size: val(r.Size), DeletionVector: r.DeletionVector.vector(),
	}
}

func (r *vectorRow) vector() *deletionVector {
	if r == nil || r.Storage == nil {
		return nil
	}
	d := &deletionVector{Storage: *r.Storage, Path: val(r.Path)}
	if r.Offset != nil {
		d.Offset = new(int64(*r.Offset))
	}
	return d
}

func (r *metadataRow) action() *Metadata {
	m := &Metadata{
		ID: val(r.ID), Name: val(r.Name), Description: val(r.Description), SchemaString: val(r.SchemaString),
		PartitionBy: r.PartitionBy, Configuration: plain(r.Configuration), CreatedMillis: val(r.CreatedMillis),
	}
	if r.Format != nil {
		m.Format = Format{Provider: val(r.Format.Provider), Options: plain(r.Format.Options)}
	}
	return m
}

func (r *protocolRow) action() *Protocol {
	return &Protocol{
		MinReader: int(val(r.MinReader)), MinWriter: int(val(r.MinWriter)),
		ReaderFeatures: r.ReaderFeatures, WriterFeatures: r.WriterFeatures,
	}
}

// plain is the map without its null values.
func plain(m map[string]*string) map[string]string {
	values := make(map[string]string, len(m))
	for k, v := range m {
		if v != nil {
			values[k] = *v
		}
	}
	return values
}

// pointed is the map with values that could be null.
func pointed(m map[string]string) map[string]*string {
	values := make(map[string]*string, len(m))
	for k, v := range m {
		values[k] = &v
	}
	return values
}

func rowOfTxn(t Txn) checkpointRow {
	r := &txnRow{AppID: &t.AppID, Version: &t.Version}
	if t.UpdatedMillis != 0 {
		r.UpdatedMillis = &t.UpdatedMillis
	}
	return checkpointRow{Txn: r}
}

// rowOfAdd is the add as a checkpoint has it: there nothing changes any more.
func rowOfAdd(a *Add) checkpointRow {
	r := &addRow{Path: &a.Path, PartitionValues: a.PartitionValues, Size: &a.Size, ModifiedMillis: &a.ModifiedMillis, DataChange: new(false), Tags: a.Tags}
	if r.PartitionValues == nil {
		r.PartitionValues = map[string]*string{}
	}
	if a.Stats != "" {
		r.Stats = &a.Stats
	}
	return checkpointRow{Add: r}
}

func rowOfRemove(d *Remove) checkpointRow {
	r := &removeRow{Path: &d.Path, DeletedMillis: &d.DeletedMillis, DataChange: new(false), Extended: &d.Extended}
	if d.Extended {
		r.PartitionValues, r.Size = d.PartitionValues, &d.Size
	}
	return checkpointRow{Remove: r}
}

func rowOfMetadata(m *Metadata) checkpointRow {
	r := &metadataRow{
		ID: &m.ID, SchemaString: &m.SchemaString, PartitionBy: append([]string{}, m.PartitionBy...), Configuration: pointed(m.Configuration),
		Format: &formatRow{Provider: &m.Format.Provider, Options: pointed(m.Format.Options)},
	}
	if m.Name != "" {
		r.Name = &m.Name
	}
	if m.Description != "" {
		r.Description = &m.Description
	}
	if m.CreatedMillis != 0 {
		r.CreatedMillis = &m.CreatedMillis
	}
	return checkpointRow{Metadata: r}
}

func rowOfProtocol(p *Protocol) checkpointRow {
	return checkpointRow{Protocol: &protocolRow{
		MinReader: new(int32(p.MinReader)), MinWriter: new(int32(p.MinWriter)),
		ReaderFeatures: p.ReaderFeatures, WriterFeatures: p.WriterFeatures,
	}}
}
