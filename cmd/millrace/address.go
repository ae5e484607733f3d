package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"

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
	return addressAt(lake, addressName(def.Plan.Pipeline))
}

func addressAt(lake blob.Store, name string) (string, error) {
	data, err := lake.Get(context.Background(), name)
	if err != nil {
		return "", err
	}
	var a address
	if err := json.Unmarshal(data, &a); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return a.HTTP, nil
}

// addressIn is where the one pipeline of a lake can be asked.
func addressIn(folder string) (string, error) {
	lake, err := openLake(folder)
	if err != nil {
		return "", err
	}
	var names []string
	for info, err := range lake.List(context.Background(), "_millrace/", "") {
		if err != nil {
			return "", err
		}
		if pipeline, last := path.Split(info.Name); last == "address.json" && strings.Count(pipeline, "/") == 2 {
			names = append(names, info.Name)
		}
	}
	switch len(names) {
	case 0:
		return "", fmt.Errorf("no pipeline of the lake %s has left its address", folder)
	case 1:
		return addressAt(lake, names[0])
	default:
		return "", usagef("the lake %s has %d pipelines: say which with --from and its definition", folder, len(names))
	}
}
