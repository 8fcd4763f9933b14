import { browser, screenshot, seriousViolations, type TestBrowser } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type RunningClient, runningClient } from './specs/running-client.js'

type Page = Awaited<ReturnType<TestBrowser['page']>>

let chromium: TestBrowser
let app: RunningClient

beforeAll(async () => {
  chromium = await browser()
  app = await runningClient()
})

afterAll(async () => {
  await chromium.close()
  await app.stop()
})

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const step = (page: Page, text: string) => page.locator('.step').filter({ hasText: text }).last()

/** What a browser complains of, above all of the policy. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', message => {
    if (message.type() === 'error' && !/status of 40[13]/.test(message.text()))
      complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(error.message))
  return complaints
}

describe.each([
  { name: 'Ledgerly', path: '/confidential' },
  { name: 'Pocket Ledger', path: '/public' },
])('$name in a browser', ({ name, path }) => {
  it('reads, is refused to write, refreshes, revokes, and is refused', async () => {
    const page = await chromium.page()
    const complaints = complaintsOf(page)
    await page.goto(app.url)
    await press(page, `Connect ${name}`)
    await step(page, 'Code for token').waitFor()
    await page.waitForURL(`${app.url}${path}`)
    expect(app.server.asked.at(-1)?.get('scope')).toBe('invoices:read')
    expect(app.server.asked.at(-1)?.get('resource')).toBe(app.server.resource)

    await press(page, 'Read invoices')
    await page.getByRole('table').getByText('£420.00').waitFor()
    expect(await page.locator('caption').textContent()).toBe('Invoices of the person ada')
    await press(page, 'Create an invoice')
    await step(page, '403 insufficient_scope').waitFor()
    await press(page, 'Refresh the token')
    await step(page, 'A new access token').waitFor()
    await press(page, 'Revoke the token')
    await step(page, 'No API should accept it').waitFor()
    await press(page, 'Read invoices')
    await step(page, '401 invalid_token').waitFor()
    expect(await page.locator('.step-label').allTextContents()).toEqual([
      'Access asked for (succeeded)',
      'Answer of the authorization server (succeeded)',
      'Code for token (succeeded)',
      'Read invoices (succeeded)',
      'Create an invoice (failed)',
      'Refresh the token (succeeded)',
      'Revoke the token (succeeded)',
      'Read invoices (failed)',
    ])
    await screenshot(page, `sample-client${path.replace('/', '-')}`)
    const content = await page.content()
    for (const secret of [app.secret, ...app.server.issued]) expect(content).not.toContain(secret)
    expect(complaints).toEqual([])
    await page.context().close()
  })

  it('creates an invoice when it asked to write', async () => {
    const page = await chromium.page()
    await page.goto(`${app.url}${path}`)
    await page.getByLabel('To read and write').check()
    await press(page, `Connect ${name}`)
    await step(page, 'Code for token').waitFor()
    await press(page, 'Create an invoice')
    await step(page, '201').waitFor()
    expect(await page.getByRole('table').textContent()).toContain('€12.50')
    await page.context().close()
  })

  it.each([
    ['a denial', { error: 'access_denied', code: '' }, 'The owner did not allow it.'],
    ['another state', { state: 'foreign' }, 'another state'],
    ['another issuer', { iss: 'https://evil.example' }, 'another authorization server'],
    ['no issuer', { iss: '' }, 'does not say which authorization server'],
    ['a code that is not known', { code: 'guess' }, '400 invalid_grant'],
  ])('tells of %s in words, and leads back', async (_, answer, words) => {
    const page = await chromium.page()
    await page.goto(`${app.url}${path}`)
    app.server.answerWith(answer)
    await press(page, `Connect ${name}`)
    await page.locator('main').getByText(words).first().waitFor()
    expect(await page.getByRole('button', { name: 'Read invoices' }).isVisible()).toBe(false)
    await page.getByRole('link', { name: 'Start again' }).click()
    await page.waitForURL(`${app.url}/`)
    await page.context().close()
  })
})

describe('the public face', () => {
  it('keeps nothing: not in storage, not in the address, not over a reload', async () => {
    const page = await chromium.page()
    await page.goto(`${app.url}/public`)
    await press(page, 'Connect Pocket Ledger')
    await step(page, 'Code for token').waitFor()
    expect(page.url()).toBe(`${app.url}/public`)
    expect(await page.evaluate('[sessionStorage.length, localStorage.length, document.cookie]')).toEqual([
      0,
      0,
      '',
    ])
    await page.reload()
    expect(await page.getByRole('button', { name: 'Read invoices' }).isVisible()).toBe(false)
    await page.context().close()
  })

  it('tells of nothing before anything has happened', async () => {
    const page = await chromium.page()
    await page.goto(`${app.url}/public`)
    expect(await page.getByRole('heading', { level: 2 }).allTextContents()).toEqual(['Ask for access'])
    await page.context().close()
  })

  it('says without JavaScript that it needs it', async () => {
    const page = await chromium.page({ javaScriptEnabled: false })
    await page.goto(app.url)
    await press(page, 'Connect Pocket Ledger')
    expect(await page.locator('main').textContent()).toContain('Pocket Ledger needs JavaScript')
    await page.context().close()
  })
})

describe.each([390, 1280])('at %i px', width => {
  it.each(['/', '/confidential', '/public'])('%s is accessible and never scrolls sideways', async path => {
    const page = await chromium.page({ viewport: { width, height: 800 }, bypassCSP: true })
    await page.goto(`${app.url}${path}`)
    expect(await seriousViolations(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    await screenshot(page, `sample-client${path.replace('/', '-')}-empty-${width}`)
    await page.context().close()
  })

  it.each(['Ledgerly', 'Pocket Ledger'])('%s is accessible with invoices on it', async name => {
    const page = await chromium.page({ viewport: { width, height: 800 }, bypassCSP: true })
    await page.goto(app.url)
    await press(page, `Connect ${name}`)
    await press(page, 'Read invoices')
    await page.getByRole('table').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    await screenshot(page, `sample-client-${name.toLowerCase().replace(' ', '-')}-${width}`)
    await page.context().close()
  })
})
