package parity

import "testing"

// The code as FORMAT.md defines it, done slowly: the library must not drift from it.
func TestTheCodeIsThatOfTheFormat(t *testing.T) {
	for _, s := range []Scheme{{1, 1}, {3, 2}, {16, 2}, {5, 7}} {
		sizes := make([]int, s.Members)
		for i := range sizes {
			sizes[i] = 3 + i%3
		}
		m := makeGroup(t, s, 5, sizes)
		matrix := codeMatrix(s)
		for i := range s.Parity {
			for at := range int(m.group.ShardBytes) {
				var want byte
				for j := range s.Members {
					if at < len(m.shards[j]) {
						want ^= times(matrix[s.Members+i][j], m.shards[j][at])
					}
				}
				if got := m.shards[s.Members+i][at]; got != want {
					t.Fatalf("%v, shard %d, byte %d: %d, want %d", s, i, at, got, want)
				}
			}
		}
	}
}

// codeMatrix is V times the inverse of its first k rows, where row r of V is 1, r, r^2, ….
func codeMatrix(s Scheme) [][]byte {
	v := make([][]byte, s.Members+s.Parity)
	for r := range v {
		power := byte(1)
		for range s.Members {
			v[r] = append(v[r], power)
			power = times(power, byte(r))
		}
	}
	inverse := invert(v[:s.Members])
	product := make([][]byte, len(v))
	for r := range v {
		product[r] = make([]byte, s.Members)
		for c := range s.Members {
			for i := range s.Members {
				product[r][c] ^= times(v[r][i], inverse[i][c])
			}
		}
	}
	return product
}

// times multiplies in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1.
func times(a, b byte) (product byte) {
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			product ^= a
		}
		if a >= 0x80 {
			a = a<<1 ^ 0x1d
		} else {
			a <<= 1
		}
	}
	return product
}

// invert inverts a square by elimination.
func invert(square [][]byte) [][]byte {
	n := len(square)
	rows := make([][]byte, n)
	for i := range rows {
		rows[i] = append(append([]byte{}, square[i]...), make([]byte, n)...)
		rows[i][n+i] = 1
	}
	for c := range n {
		pivot := c
		for rows[pivot][c] == 0 {
			pivot++
		}
		rows[c], rows[pivot] = rows[pivot], rows[c]
		scale := byte(1)
		for times(scale, rows[c][c]) != 1 {
			scale++
		}
		for i := range rows[c] {
			rows[c][i] = times(rows[c][i], scale)
		}
		for r := range rows {
			if factor := rows[r][c]; r != c {
				for i := range rows[r] {
					rows[r][i] ^= times(factor, rows[c][i])
				}
			}
		}
	}
	for i := range rows {
		rows[i] = rows[i][n:]
	}
	return rows
}
