import { Wire } from '../bad-input/wire.js'
import type { RunningSystem } from '../running-system.js'

/** A client that asks in its own name, for as many tokens as a test needs, and revokes them again. */
export class MachineTokens {
  private constructor(
    private readonly wire: Wire,
    readonly client: { readonly id: string; readonly secret: string },
    private readonly audience: string,
  ) {}

  /** Registers the client. Returns once the token service knows it. */
  static async open(running: RunningSystem): Promise<MachineTokens> {
    const wire = new Wire(running)
    const response = await fetch(`${running.installation.url('clients')}/clients`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await wire.operatorToken()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        client_name: 'Night shift',
        client_uri: running.installation.url('sample-client'),
        grant_types: ['client_credentials'],
        scope: 'invoices:read',
      }),
    })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    const { client_id: id, client_secret: secret } = (await response.json()) as Record<string, string>
    const tokens = new MachineTokens(wire, { id: id ?? '', secret: secret ?? '' }, running.audience)
    for (const until = Date.now() + 20_000; ; await new Promise(resolve => setTimeout(resolve, 50))) {
      try {
        await tokens.issue()
        return tokens
      } catch (error) {
        if (Date.now() > until) throw error
      }
    }
  }

  async issue(): Promise<string> {
    const form = { grant_type: 'client_credentials', resource: this.audience }
    const answer = await this.wire.post('/token', form, this.wire.basic(this.client))
    return (await this.wire.granted(answer)).access_token
  }

  /** Returns when it is acknowledged. */
  async revoke(token: string): Promise<void> {
    const { status } = await this.wire.post('/revoke', { token }, this.wire.basic(this.client))
    if (status !== 200) throw new Error(`/revoke answers ${status}`)
  }

  /** Whether the issuer says that a token is active. */
  async introspect(token: string): Promise<boolean> {
    const answer = await this.wire.post('/introspect', { token }, this.wire.basic(this.client))
    if (!answer.ok) throw new Error(`/introspect answers ${answer.status}`)
    return ((await answer.json()) as { active: boolean }).active
  }
}
