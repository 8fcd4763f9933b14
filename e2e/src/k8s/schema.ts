import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { type Manifest, titleOf } from './manifest.js'

const folder = join(import.meta.dirname, '../../../k8s/schemas')
const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false })
const compiled = new Map<string, ValidateFunction>()

/** What the strict schema of its kind says is wrong with a resource, a sentence each. A kind without a schema is wrong too. */
export function schemaProblems(manifest: Manifest): string[] {
  const path = join(folder, fileOf(manifest))
  if (!existsSync(path)) return [`${titleOf(manifest)}: there is no k8s/schemas/${fileOf(manifest)}`]
  const validate = compiled.get(path) ?? ajv.compile(JSON.parse(readFileSync(path, 'utf8')))
  compiled.set(path, validate)
  if (validate(manifest)) return []
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const { additionalProperty } = params as { additionalProperty?: string }
    return `${titleOf(manifest)}: ${instancePath || '/'} ${message}${additionalProperty ? ` (${additionalProperty})` : ''}`
  })
}

function fileOf({ apiVersion, kind }: Manifest): string {
  const [version = '', group] = apiVersion.split('/').reverse()
  return `${[kind.toLowerCase(), ...(group ? [group.split('.')[0]] : []), version].join('-')}.json`
}
