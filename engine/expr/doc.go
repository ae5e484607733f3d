// Package expr turns SQL expressions into kernels over columns.
package expr
