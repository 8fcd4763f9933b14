import type { z } from 'zod'
import { type JsonSchema, readersSchema } from './schemas.js'

/** One field of an event as a person reads it: `scopes[].name`. */
export interface Field {
  readonly path: string
  readonly type: string
  readonly meaning: string
}

/** The fields of a schema in their order, those of objects after the object. */
export function fieldsOf(schema: z.ZodObject): Field[] {
  return membersOf(readersSchema(schema), '')
}

function membersOf(schema: JsonSchema, prefix: string): Field[] {
  const required = new Set(schema.required)
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) =>
    typeof member === 'boolean' ? [] : fieldAndMembers(member, `${prefix}${name}`, required.has(name)),
  )
}

function fieldAndMembers(given: JsonSchema, path: string, required: boolean): Field[] {
  const { schema, nullable } = withoutNull(given)
  const field = {
    path,
    type: `${typeOf(schema)}${nullable ? ', or null' : ''}${required ? '' : ', optional'}`,
    meaning: given.description ?? schema.description ?? '',
  }
  if (schema.type === 'object') return [field, ...membersOf(schema, `${path}.`)]
  const kinds = objectsOf(schema)
  if (kinds.length > 0) return [{ ...field, type: 'object' }, ...membersOfAny(kinds, `${path}.`)]
  const items = itemsOf(schema)
  return items?.type === 'object' ? [field, ...membersOf(items, `${path}[].`)] : [field]
}

/** The objects that a field may be one of. */
function objectsOf({ anyOf = [] }: JsonSchema): JsonSchema[] {
  return anyOf.filter((each): each is JsonSchema => typeof each === 'object' && each.type === 'object')
}

/** The members of several objects, each once: what it may be in any of them, and optional where one lacks it. */
function membersOfAny(kinds: readonly JsonSchema[], prefix: string): Field[] {
  const all = kinds.flatMap(kind => membersOf(kind, prefix))
  return [...new Set(all.map(({ path }) => path))].map(path => {
    const fields = all.filter(field => field.path === path)
    const types = [...new Set(fields.map(({ type }) => type))].join(', ')
    const type = fields.length === kinds.length ? types : `${types}, optional`
    return { path, type, meaning: fields.find(({ meaning }) => meaning !== '')?.meaning ?? '' }
  })
}

/** `anyOf: [x, null]` is how a schema says nullable. */
function withoutNull(schema: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  const [first, second, ...more] = schema.anyOf ?? []
  const nullable = more.length === 0 && typeof second === 'object' && second.type === 'null'
  return nullable && typeof first === 'object' ? { schema: first, nullable } : { schema, nullable: false }
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``
  if (schema.enum !== undefined) return schema.enum.map(value => `\`${value}\``).join(', ')
  const items = itemsOf(schema)
  if (items !== undefined) return arrayType(schema, items)
  if (schema.type === 'string') return stringType(schema)
  if (schema.type === 'integer') return integerType(schema)
  return String(schema.type ?? 'any')
}

function arrayType({ minItems, maxItems }: JsonSchema, items: JsonSchema): string {
  const size = range(minItems, maxItems)
  return `list of ${size === '' ? '' : `${size}: `}${typeOf(items)}`
}

function stringType({ format, minLength, maxLength, pattern }: JsonSchema): string {
  if (format === 'uuid') return 'UUID'
  if (format === 'date-time') return 'time, ISO 8601'
  const size = range(minLength, maxLength)
  const limits = [size === '' ? '' : `${size} characters`, pattern === undefined ? '' : `\`${pattern}\``]
  return [format === 'uri' ? 'URL' : 'string', ...limits.filter(limit => limit !== '')].join(', ')
}

function integerType({ minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  const least = typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : minimum
  const size = range(
    least === Number.MIN_SAFE_INTEGER ? undefined : least,
    maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum,
  )
  return size === '' ? 'integer' : `integer, ${size}`
}

function range(least: number | undefined, most: number | undefined): string {
  if (most === undefined) return least === undefined ? '' : `${least} or more`
  if (least === most) return String(most)
  return least === undefined ? `up to ${most}` : `${least} to ${most}`
}

function itemsOf({ items }: JsonSchema): JsonSchema | undefined {
  return typeof items === 'object' && !Array.isArray(items) ? items : undefined
}
