import { createHash } from 'node:crypto'
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { MerkleRange } from './merkle.js'

function rangeOf(begin: number, leaves: readonly (string | Buffer)[]): MerkleRange {
  const range = new MerkleRange(begin)
  for (const leaf of leaves) range.append(leaf)
  return range
}

/** RFC 6962 §2.1, word for word. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  const hash = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
  const [only] = leaves
  if (only === undefined) return hash()
  if (leaves.length === 1) return hash(Buffer.from([0]), only)
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return hash(Buffer.from([1]), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)))
}

// the test vectors of certificate-transparency's reference implementation
const known = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

it.each(roots.map((root, size) => [size, root] as const))(
  'the tree of %i known leaves has the known root',
  (size, root) => {
    const leaves = known.slice(0, size).map(leaf => Buffer.from(leaf, 'hex'))
    expect(rangeOf(0, leaves).root().toString('hex')).toBe(root)
  },
)

it('any stretches that meet give the root of the whole, from their kept hashes alone', () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 0, max: 150 }), { maxLength: 5 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 150 }), cuts, (size, cuts) => {
      const leaves = Array.from({ length: size }, (_, n) => Buffer.from(`leaf ${n}`))
      const places = [0, ...cuts.filter(cut => cut <= size).sort((a, b) => a - b), size]
      const kept = places.slice(1).map((end, n) => {
        const begin = places[n] ?? 0
        return { begin, end, hashes: rangeOf(begin, leaves.slice(begin, end)).hashes }
      })
      const whole = kept.reduce<MerkleRange>(
        (range, { begin, end, hashes }) => range.join(MerkleRange.of(begin, end, hashes)),
        new MerkleRange(0),
      )
      expect(whole.root()).toEqual(treeHash(leaves))
      expect(whole.hashes).toEqual(rangeOf(0, leaves).hashes)
    }),
  )
})

it('refuses what does not fit', () => {
  expect(() => new MerkleRange(0).join(new MerkleRange(3))).toThrow('Leaf 3 does not follow 0')
  expect(() => rangeOf(3, ['a']).root()).toThrow('The leaves before 3 are missing')
  expect(() => MerkleRange.of(0, 3, rangeOf(0, ['a', 'b']).hashes)).toThrow(
    '1 hashes do not make the leaves 0 to 3',
  )
})
