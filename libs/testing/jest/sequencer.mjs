import { statSync } from 'node:fs'

/** Whole systems first, units last: whatever takes minutes must not begin when everything else has ended. */
export default class LongestFirst {
  sort(tests) {
    const weight = ({ path }) => (/\.e2e\.spec\.ts$/.test(path) ? 2 : /\.int\.spec\.ts$/.test(path) ? 1 : 0)
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
