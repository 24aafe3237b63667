package store

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"dura/archive/storage"
	"dura/archive/storage/cloud"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// probe stores an object twice, in each way there is to store one. The second time has to fail.
func (s *Storage) probe(ctx context.Context) error {
	mark, err := s.newMark()
	if err != nil {
		return err
	}
	ways := []func(ctx context.Context, key string) error{
		func(ctx context.Context, key string) error { return s.upload(ctx, key, mark, [][]byte{[]byte(mark)}) },
	}
	if s.s3 != nil {
		ways = append(ways, s.uploadInParts)
	}
	for i, way := range ways {
		if err := s.probeWay(ctx, storage.TemporaryPrefix+"probe-"+mark+"-"+strconv.Itoa(i), way); err != nil {
			return err
		}
	}
	return nil
}

func (s *Storage) probeWay(ctx context.Context, name string, way func(ctx context.Context, key string) error) error {
	key := s.key(name)
	err := way(ctx, key)
	if err != nil {
		err = s.failure(ctx, storage.OpCreate, name, err)
		if answerOf(err).status == http.StatusNotImplemented {
			return s.unconditional(err)
		}
		return err
	}
	if err = way(ctx, key); err == nil {
		err = s.unconditional(nil)
	} else if err = s.failure(ctx, storage.OpCreate, name, err); storage.Is(err, storage.KindExists) {
		err = nil
	}
	// Who may not delete leaves it there, where no listing shows it.
	if gone := s.bucket.remove(ctx, key); gone != nil && err == nil && answerOf(gone).status != http.StatusForbidden {
		err = s.failure(ctx, storage.OpDelete, name, gone)
	}
	return err
}

func (s *Storage) unconditional(err error) error {
	place := s.place.String()
	cause := &cloud.UnconditionalError{Place: place, Err: err}
	return &storage.Error{Op: storage.OpOpen, Object: place, Kind: storage.KindInvalid, Err: cause}
}

// uploadInParts stores a few bytes as S3's uploader stores large objects.
func (s *Storage) uploadInParts(ctx context.Context, key string) error {
	bucket := aws.String(s.place.Bucket)
	begun, err := s.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: &key})
	if err != nil {
		return err
	}
	err = s.completeParts(ctx, key, begun.UploadId)
	if err != nil {
		in := &s3.AbortMultipartUploadInput{Bucket: bucket, Key: &key, UploadId: begun.UploadId}
		if _, aborted := s.s3.AbortMultipartUpload(ctx, in); aborted != nil {
			err = errors.Join(err, aborted)
		}
	}
	return err
}

func (s *Storage) completeParts(ctx context.Context, key string, upload *string) error {
	bucket, number := aws.String(s.place.Bucket), aws.Int32(1)
	part, err := s.s3.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: bucket, Key: &key, UploadId: upload, PartNumber: number, Body: strings.NewReader("probe"),
	})
	if err != nil {
		return err
	}
	_, err = s.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: &key, UploadId: upload, IfNoneMatch: aws.String("*"),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{ETag: part.ETag, PartNumber: number}}},
	})
	return err
}
