// Package products multiplies floats and adds them up.
package products

type ratio float32

type point struct{ x float64 }

const two = 2.0

func sums(x, y, z float64, r ratio) float64 {
	z += x * y                // want: multiplies floats
	z -= (x * y)              // want: multiplies floats
	z = z + two*x             // want: multiplies floats
	z = -(x * y) + z          // want: multiplies floats
	r = r*r - r               // want: multiplies floats
	z = float64(x*y + z)      // want: multiplies floats
	z = float64(int64(x)) * y // want: multiplies floats
	z = z + x*y*z             // want: multiplies floats
	return z + float64(r)
}

// The compiler fuses across all of these.
func across(x, y, z float64) (float64, point) {
	t := x * y // want: multiplies floats
	z += t
	z *= x            // want: multiplies floats
	p := point{x * y} // want: multiplies floats
	z = add(x*y, z)   // want: multiplies floats
	return z * y, p   // want: multiplies floats
}

func add(x, y float64) float64 { return x + y }

func generic[F ~float32 | ~float64, I ~int | ~int64](x, y F, i, j I) F {
	x += F(x * y)
	y += x * y // want: multiplies floats
	return x + y + F(i*j+i)
}

func rounded(x, y, z float64, i, j int, r ratio) (float64, bool) {
	z += float64(x*y) + float64((x * y)) - float64(-(x * y))
	z += x*y/z + z/(x*y) + float64(x*y*z)
	z += float64(ratio(r*r)) + two*3 + float64(i*j+1)
	n := int64(x * y)
	i += i*j + int(n)
	return z, x*y > z || -(x*y) < z
}
