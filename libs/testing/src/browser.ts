import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { eventually } from './eventually.js'

// What drives a browser is loaded by those who ask for one: every spec loads this file.

export interface TestBrowser {
  /** A page in a context of its own: no cookies, 1280 × 900. */
  page(options?: BrowserContextOptions): Promise<Page>
  close(): Promise<void>
}

/** Headless Chromium, its binary from npm: no package of the system is needed. */
export async function browser(): Promise<TestBrowser> {
  const [playwright, chromium] = await Promise.all([import('playwright-core'), import('@sparticuz/chromium')])
  const instance = await playwright.chromium.launch({
    executablePath: await chromium.default.executablePath(),
    args: ['--no-sandbox', '--headless=shell', '--disable-gpu'],
  })
  return {
    async page(options = {}) {
      const context = await instance.newContext({
        viewport: { width: 1280, height: 900 },
        reducedMotion: 'reduce',
        ...options,
      })
      return context.newPage()
    },
    close: () => instance.close(),
  }
}

/** What axe-core finds serious or critical (WCAG 2.2 A and AA), a line each. */
export async function seriousViolations(page: Page): Promise<string[]> {
  const { AxeBuilder } = await import('@axe-core/playwright')
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map(node => node.target.join(' ')).join(', ')})`)
}

/**
 * Keeps a picture of the whole page as an artefact of the test run. Returns its path. Chromium now and then refuses a
 * picture ("Unable to capture screenshot") that it takes when it is asked again.
 */
export async function screenshot(page: Page, name: string): Promise<string> {
  const folder = join(import.meta.dirname, '../../../test-artefacts')
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${name}.png`)
  await eventually(() => page.screenshot({ path, fullPage: true }))
  return path
}
