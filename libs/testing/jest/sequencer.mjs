import { readFileSync, statSync } from 'node:fs'

/**
 * Whole systems first, units last: whatever takes minutes must not begin when everything else has ended. Before all of them those that
 * share a system, which costs time for as long as it runs.
 */
export default class LongestFirst {
  sort(tests) {
    const sharing = tests.map(({ path }) => path).filter(sharesSystem)
    globalThis.sharingSpecs = new Set(sharing)
    const weight = ({ path }) =>
      sharing.includes(path) ? 3 : /\.e2e\.spec\.ts$/.test(path) ? 2 : /\.int\.spec\.ts$/.test(path) ? 1 : 0
    const size = ({ path }) => statSync(path).size
    return [...tests].sort((a, b) => weight(b) - weight(a) || size(b) - size(a))
  }

  shard(tests) {
    return tests
  }

  allFailedTests(tests) {
    return tests
  }

  /** Nothing is kept: the order never changes. */
  cacheResults() {
    // nothing
  }
}

const sharesSystem = path => readFileSync(path, 'utf8').includes('sharedSystem()')
