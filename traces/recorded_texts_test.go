package traces

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestClassTextsLikeMap keeps texts of any length, more than are held, and asks for them: none
// may have the number of another, and the last that was kept must be known.
func TestClassTextsLikeMap(t *testing.T) {
	var ts classTexts
	numbers, known := map[string]int32{}, 0
	draw := cluster.NewDraw(1, "texts", "x")
	for i := range 50_000 {
		n := int64(draw.At(i).Float() * 4000)
		text := strings.Repeat("0.", int(n%5)) + strconv.FormatInt(n*n*n, 10)
		number, ok := ts.class(text)
		if want, there := numbers[text]; ok && (!there || number != want) {
			t.Fatalf("%q has number %d, want %d", text, number, want)
		}
		if ok {
			known++
			continue
		}
		numbers[text] = int32(i)
		ts.keep(text, int32(i))
		if number, ok := ts.class(text); ok != (len(text) >= 8 && len(text) <= 16) || ok && number != int32(i) {
			t.Fatalf("%q, which was kept with %d: %d, %v", text, i, number, ok)
		}
	}
	if known < 10_000 {
		t.Errorf("only %d were known", known)
	}
}

// TestAlibabaClasses has rows that ask for much the same in several ways: what pods ask for
// must be what their own rows say.
func TestAlibabaClasses(t *testing.T) {
	var rows strings.Builder
	var want []cluster.Amounts
	draw := cluster.NewDraw(1, "rows", "x")
	for i := range 5000 {
		cpu, memory := float64(int(draw.At(2*i).Float()*20))*12.5, float64(int(draw.At(2*i+1).Float()*50))/4
		form := func(x float64, most int) string { return strconv.FormatFloat(x, 'f', 2+i%most, 64) }
		row := fmt.Sprintf("M1,1,job_%d,1,Terminated,97,110,%s,%s\n", i, form(cpu, 4), form(memory, 11))
		if i%7 == 0 {
			row = fmt.Sprintf("M1,1,job_%d,1,Terminated,97,110,\"%s\",\"%s\"\n", i, form(cpu, 4), form(memory, 11))
		}
		rows.WriteString(row)
		want = append(want, cluster.Amounts{int64(math.Round(cpu * 10)), int64(math.Round(memory/100*4096) * mib)})
	}
	r, err := readAlibaba(1, []byte(rows.String()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		got := r.classes.all[r.batches.at(i).class].Requests
		for resource, amount := range want[i] {
			if got.Get(cluster.Resource(resource)) != amount {
				t.Fatalf("row %d: %v, want %v", i, got, want[i])
			}
		}
	}
}
