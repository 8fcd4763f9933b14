import { readFileSync } from 'node:fs'
import { UsageError } from './usage-error.js'

/** A setting that may stand in the file that `NAME_FILE` names, as the services read theirs. */
export function settingOf(name: string): string | undefined {
  const direct = process.env[name] || undefined
  const file = process.env[`${name}_FILE`]
  if (!file) return direct
  if (direct !== undefined) throw new UsageError(`${name} is set twice: by itself and by ${name}_FILE.`)
  return readSecret(file)
}

/** @throws UsageError where the file can not be read, or is empty */
export function readSecret(file: string): string {
  try {
    const text = readFileSync(file, 'utf8').trim()
    if (text !== '') return text
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException // the file system throws no others
    throw new UsageError(`${file} can not be read (${code}).`)
  }
  throw new UsageError(`${file} is empty.`)
}
