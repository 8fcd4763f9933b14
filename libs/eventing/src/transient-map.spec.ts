import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from '@jest/globals'
import { TransientMap } from './transient-map.js'

it('has what was set last, and nothing that was deleted', () => {
  const map = new TransientMap<number, string>()
  for (let key = 0; key < 5000; key++) {
    map.set(key, 'first')
    map.set(key, `${key}`)
    if (key >= 100) map.delete(key - 100)
  }
  expect(map.get(4900)).toBe('4900')
  expect(map.get(4999)).toBe('4999')
  expect(map.get(4899)).toBeUndefined()
})

it('keeps nothing among the old objects of what comes and goes', () => {
  const map = new TransientMap<number, object>()
  const collectYoung = collector({ type: 'minor' })
  collector({ type: 'major' })() // from now on the map itself is old
  const before = oldBytes()
  for (let key = 0; key < 50_000; key++) {
    map.set(key, new Array(100).fill(key))
    map.delete(key - 64)
    if (key % 500 === 0) collectYoung()
  }
  expect(oldBytes() - before).toBeLessThan(5_000_000) // of 40 MB
})

function collector(options: { type: 'minor' | 'major' }): () => void {
  setFlagsFromString('--expose-gc')
  const collect: (options: object) => void = runInNewContext('gc')
  return () => collect(options)
}

function oldBytes(): number {
  const { space_used_size: bytes = 0 } =
    getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space') ?? {}
  return bytes
}
