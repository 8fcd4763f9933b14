import { browser, screenshot, seriousViolations, type TestBrowser } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type OwnSystem, startSystem } from './running-system.js'
import { DeviceWorld } from './standards/device-world.js'

type Page = Awaited<ReturnType<TestBrowser['page']>>

let running: OwnSystem
let chromium: TestBrowser
beforeAll(async () => {
  running = await startSystem('embedded')
  chromium = await browser()
})
afterAll(async () => {
  await chromium?.close()
  await running?.stop()
})

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const step = (page: Page, text: string) => page.locator('.step').filter({ hasText: text }).last()

/** A picture for the eye, and a machine’s opinion of it. */
async function look(page: Page, name: string): Promise<void> {
  await screenshot(page, name)
  expect(await seriousViolations(page)).toEqual([])
}

async function signIn(page: Page): Promise<void> {
  const { email, password } = running.demo.person
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password').fill(password)
  await press(page, 'Sign in')
}

/** What a browser complains of, above all of the policy. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', message => {
    // 401, 403: the API’s refusals are what these tests ask for
    if (message.type() === 'error' && !/status of 40[13]/.test(message.text()))
      complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(error.message))
  return complaints
}

const faces = [
  { name: 'Ledgerly', path: '/confidential', slug: 'confidential' },
  { name: 'Pocket Ledger', path: '/public', slug: 'public' },
]
const owners = ['Ada Byron', 'Analytical Engines Ltd']
const cases = faces.flatMap(face => owners.map(owner => ({ ...face, owner })))

describe('the main job in a browser', () => {
  it.each(cases)(
    '$name for $owner: ask, sign in, allow, read, be refused, revoke, be denied',
    async ({ name, path, slug, owner }) => {
      const pictures = `${slug}-${owner === 'Ada Byron' ? 'person' : 'company'}`
      const page = await chromium.page()
      const complaints = complaintsOf(page)
      await page.goto(running.installation.url('sample-client'))
      await look(page, `${pictures}-1-start`)
      await press(page, `Connect ${name}`)

      await page.getByRole('heading', { name: `Sign in to answer ${name}` }).waitFor()
      await look(page, `${pictures}-2-sign-in`)
      await signIn(page)

      await page.getByRole('heading', { name: `${name} wants to access Invoices` }).waitFor()
      await page.getByText(owner, { exact: true }).last().click()
      await look(page, `${pictures}-3-consent`)
      await press(page, 'Allow')

      await step(page, 'Code for token').waitFor()
      await page.waitForURL(`${running.installation.url('sample-client')}${path}`)
      await press(page, 'Read invoices')
      await page.getByRole('table').waitFor()
      await press(page, 'Create an invoice')
      await step(page, '403 insufficient_scope').waitFor()
      await press(page, 'Refresh the token')
      await step(page, 'A new access token').waitFor()
      await look(page, `${pictures}-4-connected`)

      const mine = await page.context().newPage()
      await mine.goto(`${running.installation.url('consent')}/grants`)
      const grant = mine.locator('.card', { hasText: name }).filter({ hasText: owner })
      await look(mine, `${pictures}-5-grants`)
      await grant.getByRole('button', { name: 'Revoke' }).click()
      await mine.getByText(`Access for ${name} is revoked`).waitFor()
      await look(mine, `${pictures}-6-revoked`)

      await press(page, 'Read invoices')
      await step(page, '401 invalid_token').waitFor()
      await look(page, `${pictures}-7-denied`)
      expect(complaints).toEqual([])
    },
  )

  it('denying sends the person back, and the application says so', async () => {
    const page = await chromium.page()
    await page.goto(running.installation.url('sample-client'))
    await press(page, 'Connect Ledgerly')
    await signIn(page)
    await press(page, 'Deny')
    await page.waitForURL(/sample|localhost/)
    await page.getByText('access_denied').first().waitFor()
    await look(page, 'denied-by-the-person')
  })

  it('works without JavaScript, on a phone, in the dark', async () => {
    const page = await chromium.page({
      javaScriptEnabled: false,
      colorScheme: 'dark',
      viewport: { width: 390, height: 844 },
    })
    await page.goto(`${running.installation.url('sample-client')}/confidential`)
    await press(page, 'Connect Ledgerly')
    await screenshot(page, 'phone-dark-sign-in')
    await signIn(page)
    await page.getByRole('heading', { name: 'Ledgerly wants to access Invoices' }).waitFor()
    await screenshot(page, 'phone-dark-consent')
    await press(page, 'Allow')
    await press(page, 'Read invoices')
    await page.getByRole('table').waitFor()
    await screenshot(page, 'phone-dark-connected')
  })

  it('a device asks: sign in, compare the code, allow, go back to the device', async () => {
    const world = await DeviceWorld.create(running)
    const telly = await world.client({ client_uri: 'https://telly.example/' })
    const codes = await world.begun(telly)
    const page = await chromium.page()
    const complaints = complaintsOf(page)
    await page.goto(codes.verification_uri_complete)
    await page.getByRole('heading', { name: 'Sign in to connect a device' }).waitFor()
    await look(page, 'device-1-sign-in')
    await signIn(page)

    await page.getByText('Compare it with your device').waitFor()
    expect(await page.getByLabel('Code', { exact: true }).inputValue()).toBe(codes.user_code)
    await look(page, 'device-2-compare')
    await press(page, 'My device shows it: continue')
    await page.getByText('A device asks').waitFor()
    await look(page, 'device-3-consent')
    await press(page, 'Allow')
    await page.getByRole('heading', { name: 'Your device is connected' }).waitFor()
    await look(page, 'device-4-connected')
    expect((await world.tokens(telly, codes)).scope).toBe('invoices:read')

    // the code is used up
    await page.goto(codes.verification_uri)
    await page.getByLabel('Code', { exact: true }).fill(codes.user_code.toLowerCase())
    await press(page, 'Continue')
    await page.getByText('This code was used already').waitFor()
    await look(page, 'device-5-used')
    expect(complaints.filter(text => !text.includes('status of 400'))).toEqual([])
  })

  it('a wrong password is told in words, and what cannot be redirected is a page', async () => {
    const page = await chromium.page()
    await page.goto(`${running.installation.url('consent')}/sign-in`)
    await page.getByLabel('E-mail address').fill(running.demo.person.email)
    await page.getByLabel('Password').fill('not the password at all')
    await press(page, 'Sign in')
    await page.getByRole('alert').getByText('The e-mail address or the password is wrong.').waitFor()
    await look(page, 'sign-in-failed')

    await page.goto(`${running.installation.url('consent')}/authorize?client_id=nobody`)
    await page.getByText('No application is registered under its client_id.').waitFor()
    await look(page, 'broken-request')
    await page.goto(`${running.installation.url('consent')}/nowhere`)
    await page.getByText('There is nothing at this address.').waitFor()
    await look(page, 'not-found')
  })
})
