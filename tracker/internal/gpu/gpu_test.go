package gpu

import "testing"

// TestOpen: with a driver there is a card with a name for every reading; without one, an error that says why.
func TestOpen(t *testing.T) {
	cards, err := Open()
	if err != nil {
		if err.Error() == "" || cards != nil {
			t.Errorf("cards %v, error %q", cards, err)
		}
		t.Log(err)
		return
	}
	defer cards.Close()
	list, readings := cards.List(), cards.Read()
	if len(list) == 0 || len(list) != len(readings) || cards.Driver() == "" {
		t.Fatalf("%d cards, %d readings, driver %q", len(list), len(readings), cards.Driver())
	}
	for i, card := range list {
		t.Logf("%+v %+v", card, readings[i])
		if card.Model == "" || card.MemoryBytes == 0 || readings[i].MemoryBytes < 0 {
			t.Errorf("card %d: %+v %+v", i, card, readings[i])
		}
	}
}
