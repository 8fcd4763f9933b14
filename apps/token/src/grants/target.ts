import { assertResourceIndicator, invalidTarget, type Parameters } from '@grantlog/oauth'

/** The one resource that a request names, if it names one. A token of ours is for one API. @see RFC 8707 §2 */
export function readResource(parameters: Parameters): string | undefined {
  const [resource, ...more] = parameters.all('resource')
  if (more.length > 0) throw invalidTarget("Name one 'resource' at a time: a token is for one API.")
  if (resource !== undefined) assertResourceIndicator(resource)
  return resource
}

/** A token request may name the resource of its grant, and no other. @see RFC 8707 §2.2 */
export function assertResource(parameters: Parameters, audience: string): void {
  const resource = readResource(parameters)
  if (resource !== undefined && resource !== audience)
    throw invalidTarget('The grant is for another resource.')
}
