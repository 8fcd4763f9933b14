import { describe, it } from '@jest/globals'

/** Tests that need a program. Where there is none they are skipped, in one loud line; with CI=true that is a failure. */
export function describeWhere(
  available: { ok: true } | { ok: false; reason: string },
  name: string,
  tests: () => void,
): void {
  if (available.ok) return void describe(name, tests)
  process.stderr.write(`\n*** NOT TESTED: ${name}. ${available.reason} ***\n\n`)
  if (process.env.CI === 'true') {
    return void describe(name, () => {
      it('has what it needs', () => {
        throw new Error(available.reason)
      })
    })
  }
  describe.skip(name, tests)
}
