package eviction

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// maxExponent bounds what follows an e: beyond it, an amount is more than can be held or rounds to
// the same, unless it is written with as many digits.
const maxExponent = 60

// parseQuantity reads a quantity as Kubernetes writes it, such as 100Mi, 1.5G, 2e9 or 500m. What is
// not whole is rounded away from 0, which changes no comparison of whole amounts with it as long as
// it is positive, and what is more than an int64 holds becomes the most that it holds.
func parseQuantity(text string) (int64, error) {
	digits := strings.TrimLeft(text, "+-")
	if len(text)-len(digits) > 1 {
		return 0, fmt.Errorf("%q has more than one sign", text)
	}
	end := 0
	for end < len(digits) && (digits[end] == '.' || digits[end] >= '0' && digits[end] <= '9') {
		end++
	}
	number, suffix := digits[:end], digits[end:]
	if strings.Trim(number, ".") == "" || strings.Count(number, ".") > 1 {
		return 0, fmt.Errorf("%q doesn't begin with a number", text)
	}
	factor, err := quantityFactor(suffix)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", text, err)
	}
	amount, ok := new(big.Rat).SetString(strings.TrimSuffix(number, "."))
	if !ok {
		return 0, fmt.Errorf("%q doesn't begin with a number", text)
	}
	rounded := roundUp(amount.Mul(amount, factor))
	if strings.HasPrefix(text, "-") {
		rounded = -rounded
	}
	return rounded, nil
}

// quantityFactor returns what a suffix multiplies by.
func quantityFactor(suffix string) (*big.Rat, error) {
	const binary, decimal = "KMGTPE", "num kMGTPE"
	switch {
	case suffix == "":
		return big.NewRat(1, 1), nil
	case len(suffix) == 2 && suffix[1] == 'i' && strings.Contains(binary, suffix[:1]):
		power := 10 * (1 + strings.Index(binary, suffix[:1]))
		return new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(power))), nil
	case len(suffix) == 1 && suffix != " " && strings.Contains(decimal, suffix):
		return powerOfTen(3 * (strings.Index(decimal, suffix) - 3)), nil
	case suffix[0] == 'e' || suffix[0] == 'E':
		exponent, err := parseExponent(suffix[1:])
		if err != nil {
			return nil, err
		}
		return powerOfTen(exponent), nil
	}
	return nil, fmt.Errorf("%q is no suffix of a quantity; there are Ki, Mi, Gi, Ti, Pi, Ei, n, u, m, k, M, G, T, P, E and exponents like e3", suffix)
}

// parseExponent reads what follows an e, and brings it to where it can make no more difference.
func parseExponent(text string) (int, error) {
	digits := strings.TrimLeft(text, "+-")
	if digits == "" || len(text)-len(digits) > 1 || strings.Trim(digits, "0123456789") != "" {
		return 0, errors.New("there is no whole number behind the e")
	}
	n := 0
	for _, d := range digits {
		n = min(10*n+int(d-'0'), maxExponent)
	}
	if text[0] == '-' {
		n = -n
	}
	return n, nil
}

func powerOfTen(n int) *big.Rat {
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil)
	if n < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), p)
	}
	return new(big.Rat).SetInt(p)
}

// roundUp returns the least whole number that is not below r, which is not negative, within an int64.
func roundUp(r *big.Rat) int64 {
	whole, rest := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	if rest.Sign() != 0 {
		whole.Add(whole, big.NewInt(1))
	}
	if whole.IsInt64() {
		return whole.Int64()
	}
	return math.MaxInt64
}
