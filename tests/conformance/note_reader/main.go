// The reader of signed notes that Go's own checksum database uses, told keys and given a note on standard input.
package main

import (
	"fmt"
	"io"
	"os"

	cosigned "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Usage: note_reader LOG-KEY [WITNESS-KEY ...] < note
func main() {
	log, err := note.NewVerifier(os.Args[1])
	if err != nil {
		fail(err)
	}
	known := []note.Verifier{log}
	for _, key := range os.Args[2:] {
		witness, err := cosigned.NewVerifierForCosignatureV1(key)
		if err != nil {
			fail(err)
		}
		known = append(known, witness)
	}
	content, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	opened, err := note.Open(content, note.VerifierList(known...))
	if err != nil {
		fail(err)
	}
	for _, signature := range opened.Sigs {
		fmt.Println("signed", signature.Name)
	}
	fmt.Println("unknown", len(opened.UnverifiedSigs))
	fmt.Print(opened.Text)
}
