package format

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"dura/archive/format/pb"
)

// The schema in every archive and the code that reads archives must not drift apart.
func TestGeneratedCodeIsThatOfTheSchema(t *testing.T) {
	protoc, err := exec.LookPath("protoc")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("protoc is not installed:", err)
		}
		t.Skip("protoc is not installed")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, SchemaName), Schema, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	if b, err := exec.Command(protoc, "-I", dir, "--descriptor_set_out="+out, SchemaName).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	want := set.File[0]
	got := protodesc.ToFileDescriptorProto(pb.File_archive_format_dura_proto)
	want.Name, got.Name = nil, nil
	if !proto.Equal(got, want) {
		t.Fatal("the generated code is not that of dura.proto: run go generate ./archive/format")
	}
}
