import { type Asked, refuseStranger, scopeChoices } from '../flow/authorization-client.js'
import { Connection } from '../flow/connection.js'
import { toldByError } from '../flow/refusal.js'
import { PublicClient } from './public-client.js'
import { find, show, showProblem } from './screen.js'

/** Verifier and state, during the redirect only; the tokens are never stored. */
const storageKey = 'pocket-ledger'
const callbackPath = '/public/callback'

const { issuer = '', resource = '', clientId = '', redirectUri = '' } = find('#settings', HTMLElement).dataset
const client = new PublicClient({ issuer, resource, clientId, redirectUri })

find('form[action="/public"]', HTMLFormElement).addEventListener('submit', event => {
  event.preventDefault()
  const scope = new FormData(find('form[action="/public"]', HTMLFormElement)).get('scope')
  void connect(typeof scope === 'string' ? scope : scopeChoices[0])
})
if (location.pathname === callbackPath) void goOn()

async function connect(scope: string): Promise<void> {
  try {
    const { url, asked } = await client.ask(scope)
    sessionStorage.setItem(storageKey, JSON.stringify(asked))
    location.assign(url)
  } catch (error) {
    showProblem(`The authorization server can not be asked. ${toldByError(error).words}`)
  }
}

async function goOn(): Promise<void> {
  const callback = new URL(location.href)
  // the code belongs in no history
  history.replaceState(null, '', '/public')
  const asked = storedAsked()
  const stranger = refuseStranger(callback.searchParams, asked, issuer)
  if (!asked || stranger !== undefined) {
    showProblem(stranger ?? '')
    return
  }
  sessionStorage.removeItem(storageKey)
  const connection = new Connection(client)
  for (const action of ['read', 'create', 'refresh', 'revoke'] as const) {
    const button = find(`#${action}`, HTMLButtonElement)
    button.addEventListener('click', () => void connection[action]().then(() => show(connection)))
  }
  await connection.redeem(callback, asked)
  show(connection)
}

function storedAsked(): Asked | undefined {
  const stored: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? 'null')
  return isAsked(stored) ? stored : undefined
}

function isAsked(value: unknown): value is Asked {
  return (
    typeof value === 'object' && value !== null && 'state' in value && 'verifier' in value && 'scope' in value
  )
}
