import type { Result } from './check.js'

const marks = { passed: '✓', failed: '✗', 'left out': '–' }

/** The results as a person reads them: a line each, and below it what was wrong. */
export function report(results: readonly Result[]): string {
  const count = (wanted: Result['outcome']) => results.filter(({ outcome }) => outcome === wanted).length
  const lines = results.flatMap(({ name, rule, outcome, because }) => [
    `  ${marks[outcome]} ${name} (${rule === 0 ? 'what arrives' : `rule ${rule}`})`,
    ...(because === undefined ? [] : [`      ${because}`]),
  ])
  return `${lines.join('\n')}\n\n  ${count('passed')} passed, ${count('failed')} failed, ${count('left out')} left out`
}
