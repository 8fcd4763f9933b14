import type { Answer } from './history.js'
import { credentials } from './token-requests.js'
import { instanceOf, pause, rest, type Worker } from './workload.js'

/** Registers clients, renames, suspends, reinstates and deletes them, all operators the same ones. */
export const operator: Worker = async (workload, chance) => {
  const { demo, installation } = workload.cluster
  let token: { value: string; until: number } | undefined
  const call = async (
    request: RequestInit & { headers: Record<string, string> },
    url: string,
    body?: object,
    method = 'POST',
  ): Promise<Answer> => {
    const response = await fetch(url, {
      ...request,
      method,
      headers: {
        ...request.headers,
        authorization: `Bearer ${token?.value}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const said = response.status === 204 ? {} : ((await response.json()) as Record<string, unknown>)
    if (response.status === 401) token = undefined
    if (typeof said.client_secret === 'string')
      workload.registered.push({ clientId: String(said.client_id), secret: said.client_secret })
    return { status: response.status, facts: said.client_id ? { clientId: String(said.client_id) } : {} }
  }
  const registration = (marker: string) => ({
    client_name: marker,
    client_uri: installation.url('sample-client'),
    grant_types: ['client_credentials'],
    scope: 'invoices:read',
  })

  while (!workload.over) {
    if (token === undefined || token.until < Date.now()) {
      const got = await credentials(workload, chance, demo.operator, 'urn:grantlog:platform')
      token = got === undefined ? undefined : { value: got, until: Date.now() + 60_000 }
      if (token === undefined) await pause(200)
      continue
    }
    const operation = chance.weighted({ register: 3, update: 4, suspend: 2, reinstate: 2, delete: 1 })
    const { url, name: instance } = instanceOf(workload, chance, 'clients')
    const marker = `${operation}-${chance.hex(16)}`
    const target = `client-${chance.hex(16)}`
    const known = workload.history.invocations.filter(
      ({ operation, outcome }) => operation === 'register' && outcome === 'ok',
    )
    if (operation === 'register' || known.length === 0) {
      const about = { operation: 'register', instance, facts: { marker, clientId: target } } as const
      const called = await workload.history.invoke(chance, about, request =>
        call(request, `${url}/clients`, { ...registration(marker), client_id: target }),
      )
      await rest(chance, called)
    } else {
      const clientId = chance.pick(known.slice(-20)).facts.clientId ?? ''
      const about = {
        operation,
        instance,
        facts: operation === 'reinstate' ? { clientId } : { marker, clientId },
      }
      const client = `${url}/clients/${clientId}`
      const called = await workload.history.invoke(chance, about, request => {
        if (operation === 'update') return call(request, client, registration(marker), 'PUT')
        if (operation === 'delete') return call(request, `${client}?reason=${marker}`, undefined, 'DELETE')
        return call(
          request,
          `${client}/${operation}`,
          operation === 'suspend' ? { reason: marker } : undefined,
        )
      })
      await rest(chance, called)
    }
  }
}

/** Asks for tokens of its own, as a program without a person does. */
export const machine: Worker = async (workload, chance) => {
  while (!workload.over) {
    const { demo } = workload.cluster
    const token = await credentials(workload, chance, demo.operator, 'urn:grantlog:platform')
    await rest(chance, { outcome: token === undefined ? 'failed' : 'ok' })
  }
}
