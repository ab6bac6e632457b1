package text

import (
	"bytes"
	"os"
	"testing"
)

// folder holds the collections; they are not part of the project.
const folder = "../../../../shared/data/sentiment"

func TestLanguages(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Language{
		"质量很好，下次还来": Simplified, "物流太慢，客服態度還不錯，質量也對": Traditional, "The fabric is soft and it fits well": English,
		"好": Unclear, "ok": Unclear, "12345": Unclear, "": Unclear, "この商品はとても良いです": Other, "Der Stoff ist sehr weich und angenehm": Other,
		"这件 dress really looks great 但是 size too small": Mixed, "iPhone手机壳质量不错": Simplified, "Очень хорошо": Other,
	} {
		if got := Read(s).Language; got != want {
			t.Errorf("%q is said to be %s, want %s", s, got, want)
		}
	}
}

func TestFeelings(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Sentiment{
		"质量很好，穿着舒服，很喜欢": Positive, "太差了，用了两天就坏了，后悔买": Negative, "質量很好，很喜歡": Positive,
		"I love this dress, it is beautiful": Positive, "Terrible quality, a complete waste of money": Negative, "质量👍👍": Positive, "😡😡": Negative,
		"不好": Negative, "": Neutral, "。。。": Neutral, "\xff\xfe": Neutral,
	} {
		if got := Read(s); got.Sentiment != want || !(got.Chance >= 0 && got.Chance <= 1) {
			t.Errorf("%q is %s (%.2f), want %s", s, got.Sentiment, got.Chance, want)
		}
	}
}

func TestTopics(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][]About{
		"质量很好，很喜欢，就是物流太慢了，等了半个月，很失望":                              {{Quality, Positive}, {Delivery, Negative}},
		"客服态度太差了，退货都不给退":                                          {{Service, Negative}, {Returns, Negative}},
		"The quality is excellent but delivery was terribly slow": {{Quality, Positive}, {Delivery, Negative}},
		"今天天气不错": nil,
	} {
		got := Read(s).Topics
		if len(got) != len(want) {
			t.Errorf("%q is about %v, want %v", s, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%q is about %v, want %v", s, got, want)
			}
		}
	}
}

// The shipped weights are those that Learn makes, bit for bit, and reach the published figures on texts that were kept back.
func TestLearned(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(folder); err != nil {
		t.Skip("skipped: the collections of labelled reviews are not here:", folder)
	}
	d, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	l := Learn(d)
	if !bytes.Equal(l.Chinese.Bytes(), zhWeights) || !bytes.Equal(l.English.Bytes(), enWeights) {
		t.Error("the weights in the program are others; run guanxi text train")
	}
	least := map[string]float64{"shopping": 0.9335, "waimai": 0.89, "sst2": 0.8254}
	for _, r := range l.Reports {
		t.Logf("%+v", r)
		if r.Texts < 1000 || r.Accuracy < least[r.Source] || r.Decided <= r.Accuracy || r.Neutral > 0.25 {
			t.Errorf("%s: %+v, want an accuracy of %v", r.Source, r.Report, least[r.Source])
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, raw := range [][]byte{nil, []byte(magic), append([]byte(magic), 1, 60), zhWeights[:len(zhWeights)-1]} {
		if _, err := Parse(raw); err == nil {
			t.Errorf("%d bytes were read as weights", len(raw))
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		Read("质量很好，很喜欢，就是物流太慢了，等了半个月，客服态度也一般，下次可能不会再买了。")
	}
}
