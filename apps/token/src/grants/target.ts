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

/**
 * The one API that a token exchange names, by `resource` or by `audience`: for us both are the API's audience.
 * @see RFC 8693 §2.1
 */
export function readTarget(parameters: Parameters): string | undefined {
  const resources = parameters.all('resource')
  for (const resource of resources) assertResourceIndicator(resource)
  const [target, ...more] = new Set([...resources, ...parameters.all('audience')])
  if (more.length > 0) throw invalidTarget('Name one target at a time: a token is for one API.')
  return target
}
