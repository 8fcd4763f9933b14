import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { UsageError } from './usage-error.js'

/** One thing that the program can do. */
export interface Command {
  /** How it is called, without `grantlog`. */
  readonly usage: string
  readonly summary: string
  /** Each option in words, as the help shows it. */
  readonly options: Readonly<Record<string, string>>
  run(args: readonly string[]): Promise<void>
}

/** @throws UsageError for an option that is unknown or lacks its value, or a word that is none */
export function readOptions<const O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  const { values, words } = readArguments(args, options)
  if (words.length > 0) throw new UsageError(`“${words.join(' ')}” is no option.`)
  return values
}

/** @throws UsageError for an option that is unknown or lacks its value */
export function readArguments<const O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    return { values, words: positionals }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
