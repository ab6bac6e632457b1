package schema_test

import (
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// A workspace that made an object before the program declared one of the same key, or of the same prefix, keeps its own.
func TestMergeKeepsOwnObjects(t *testing.T) {
	t.Parallel()
	merged, err := schema.Merge(standard(t), []schema.Stored{
		{Object: "visit", Spec: []byte(`{"label":{"en":"Store visit"},"prefix":"vis","physical":"r_c1","title_field":"name"}`)},
		{Object: "calendar", Spec: []byte(`{"label":{"en":"Calendar"},"prefix":"cal","physical":"r_c2","title_field":"name"}`)},
		{Object: "visit", Field: "name", Spec: []byte(`{"key":"name","type":"text","label":{"en":"Name"},"physical":"c3"}`)},
		{Object: "calendar", Field: "name", Spec: []byte(`{"key":"name","type":"text","label":{"en":"Name"},"physical":"c4"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	reg, err := schema.NewRegistry(merged)
	if err != nil {
		t.Fatal(err)
	}
	if v := reg.Object("visit"); v.Standard || v.Physical != "r_c1" || len(v.Fields) != 1 {
		t.Errorf("visit is %+v", v)
	}
	if c, own := reg.Object("call"), reg.Object("calendar"); c.Prefix != "cala" || reg.ByPrefix("cal") != own {
		t.Errorf("prefixes %s %s", c.Prefix, own.Prefix)
	}
}
