import { isDeepStrictEqual } from 'node:util'
import { invalidAuthorizationDetails } from './errors.js'

/** A member that authorization details of a type may have. */
export interface DetailsField {
  /** Its name; within an object, after the object's: `amount.currency`. */
  readonly name: string
  readonly kind: 'text' | 'texts' | 'number' | 'boolean'
  readonly required: boolean
  /** The texts that it may hold; any, where none are named. */
  readonly values?: readonly string[] | undefined
}

/** What an API understands by a type of authorization details. @see RFC 9396 §2 */
export interface DetailsType {
  readonly type: string
  readonly fields: readonly DetailsField[]
}

/** One of the authorization details of a request or a token. */
export type AuthorizationDetail = { type: string } & { [member: string]: unknown }

const maxDetails = 10
const maxText = 256
/** Bytes of JSON: they travel in a code and in tokens, which have limits of their own. */
const maxBytes = 3072
const maxTexts = 20

/**
 * The value of an `authorization_details` parameter, each of whose members the API knows: a person can be shown all of it.
 *
 * @param types that the client may ask for at the API
 * @param audience of the API: the only location there is
 * @throws OAuthError `invalid_authorization_details` that names the member
 * @see RFC 9396 §2, §5
 */
export function readAuthorizationDetails(
  text: string,
  types: readonly DetailsType[],
  audience: string,
): AuthorizationDetail[] {
  const details = parse(text)
  for (const detail of details) {
    const type = types.find(known => known.type === detail.type)
    // RFC 9396 §5: "unknown authorization details type"
    if (type === undefined)
      throw refuse(
        `The type '${detail.type.slice(0, 80)}' is not known at the API, or not registered for the client.`,
      )
    assertFields(detail, type, audience)
  }
  return details
}

/**
 * Those of the granted details that a token request asks for; without the parameter, all.
 *
 * @throws OAuthError `invalid_authorization_details` for one that was not granted
 * @see RFC 9396 §6
 */
export function narrowedDetails(
  text: string | undefined,
  granted: readonly AuthorizationDetail[],
): readonly AuthorizationDetail[] {
  if (text === undefined) return granted
  const wanted = parse(text)
  if (!wanted.every(detail => granted.some(each => isDeepStrictEqual(each, detail))))
    throw refuse('The authorization details are not among those that were granted.')
  return wanted
}

/** Every member of a detail but its type, those of objects one by one: `[['amount.currency', 'EUR'], …]`. */
export function membersOf(detail: AuthorizationDetail): [name: string, value: unknown][] {
  const { type: _, ...members } = detail
  return leavesOf(members, '')
}

function parse(text: string): AuthorizationDetail[] {
  const details = parseJson(text)
  // RFC 9396 §2: "a JSON array of objects"
  if (!Array.isArray(details) || details.length === 0 || !details.every(isObject))
    throw refuse("Parameter 'authorization_details' must be a JSON array of objects.")
  if (Buffer.byteLength(JSON.stringify(details)) > maxBytes)
    throw refuse(`The authorization details are longer than ${maxBytes} bytes.`)
  if (details.length > maxDetails) throw refuse(`There are more than ${maxDetails} authorization details.`)
  if (!details.every((detail): detail is AuthorizationDetail => typeof detail.type === 'string'))
    throw refuse("Every object in 'authorization_details' needs a type.")
  return details
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw refuse("Parameter 'authorization_details' is not JSON.")
  }
}

// RFC 9396 §5: "contains unknown fields", "fields of the wrong type", "fields with invalid values", "is missing required fields"
function assertFields(detail: AuthorizationDetail, { type, fields }: DetailsType, audience: string): void {
  const members = membersOf(detail)
  for (const [name, value] of members) {
    if (name === 'locations') {
      if (!isDeepStrictEqual(value, [audience]))
        throw refuse(`The locations of '${type}' must be the API that the request is for, and nothing else.`)
      continue
    }
    const field = fields.find(known => known.name === name)
    if (field === undefined) throw refuse(`The type '${type}' has no member '${name.slice(0, 80)}'.`)
    const wrong = whatIsWrong(value, field)
    if (wrong !== undefined) throw refuse(`The member '${name}' of '${type}' ${wrong}.`)
  }
  const missing = fields.find(({ name, required }) => required && !members.some(([given]) => given === name))
  if (missing !== undefined) throw refuse(`The member '${missing.name}' of '${type}' is missing.`)
}

function whatIsWrong(value: unknown, { kind, values }: DetailsField): string | undefined {
  switch (kind) {
    case 'number':
    case 'boolean':
      return typeof value === kind ? undefined : `must be a ${kind}`
    case 'text':
      return whatIsWrongWith([value], values)
    case 'texts':
      if (!Array.isArray(value) || value.length === 0 || value.length > maxTexts)
        return `must be a list of 1 to ${maxTexts} texts`
      return whatIsWrongWith(value, values)
  }
}

function whatIsWrongWith(
  texts: readonly unknown[],
  values: readonly string[] | undefined,
): string | undefined {
  // shown to a person, it must not break out of its line, nor turn what stands around it
  const isLine = (text: unknown) =>
    typeof text === 'string' &&
    text.length <= maxText &&
    text.trim() !== '' &&
    /^[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]*$/u.test(text)
  if (!texts.every(isLine)) return `must be text: one line of 1 to ${maxText} characters`
  if (values !== undefined && !texts.every(text => values.includes(String(text))))
    return `must be one of ${values.join(', ')}`
  return undefined
}

function leavesOf(object: object, prefix: string): [string, unknown][] {
  return Object.entries(object).flatMap(([name, value]): [string, unknown][] => {
    // a name with a point in it would look like a member of another object
    if (name.includes('.')) throw refuse('A member of the authorization details has a point in its name.')
    const isFilled = isObject(value) && Object.keys(value).length > 0
    return isFilled ? leavesOf(value, `${prefix}${name}.`) : [[`${prefix}${name}`, value]]
  })
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const refuse = (description: string) => invalidAuthorizationDetails(description)
