package cluster

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// A Digest is a Recorder that hashes every decision: SHA-256 over time, kind,
// pod, node and devices, by names. Two runs have equal digests if and only if
// they decided the same at the same times.
type Digest struct {
	h   hash.Hash
	buf []byte
}

// NewDigest returns a Digest of no decisions.
func NewDigest() *Digest { return &Digest{h: sha256.New()} }

// Record implements Recorder. It returns no error.
func (d *Digest) Record(s *State, _ []Event, ds []Decision) error {
	for i := range ds {
		d.add(s, &ds[i])
	}
	return nil
}

// add appends one decision: time and devices as 8 bytes each, little end first,
// kind as a byte, namespace, name and node each with its length before it.
func (d *Digest) add(s *State, x *Decision) {
	b := d.buf
	b = binary.LittleEndian.AppendUint64(b, uint64(s.Now))
	b = append(b, byte(x.Kind))
	if x.Pod == None {
		b = appendString(appendString(b, ""), "")
	} else {
		b = appendString(b, s.Class(x.Pod).Namespace)
		b = appendString(b, s.Pods.Name[x.Pod])
	}
	if x.Node == None { // for example a Nominate that keeps nothing
		b = appendString(b, "")
	} else {
		b = appendString(b, s.Nodes.Name[x.Node])
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(x.GPUs))
	if x.Detail != nil {
		b = x.Detail.appendTo(b)
	}
	if len(b) >= 4096 { // hashing a little at a time costs as much again
		d.h.Write(b)
		b = b[:0]
	}
	d.buf = b
}

// Sum returns the digest so far, in hex.
func (d *Digest) Sum() string {
	d.h.Write(d.buf)
	d.buf = d.buf[:0]
	return hex.EncodeToString(d.h.Sum(nil))
}
