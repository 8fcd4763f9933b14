/**
 * Prints, as the very last line, how many tests passed, failed and were skipped over all packages. When the last spec that shares a system
 * has ended, so do the systems.
 */
export default class LastLine {
  async onTestFileResult({ path }) {
    globalThis.sharingSpecs?.delete(path)
    if (globalThis.sharingSpecs?.size === 0) await globalThis.stopSharedSystems?.()
  }

  onRunComplete(_, results) {
    // a file that could not be loaded has no tests of its own, and is a failure all the same
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
    const skipped = results.numPendingTests + results.numTodoTests
    const line = `${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`
    process.once('exit', () => process.stdout.write(`${line}\n`))
  }
}
