import { type HtmlValue, page } from '@grantlog/ui'

/** The frame of this application's pages. */
export function shell(options: {
  title: string
  current?: '/' | '/confidential' | '/public'
  grantsUrl?: string
  script?: string
  body: HtmlValue
}): string {
  const { current, grantsUrl, ...rest } = options
  const link = (label: string, href: string) => ({ label, href, current: href === current })
  return page({
    ...rest,
    service: 'Sample client',
    nav: [
      link('Start', '/'),
      link('Server side', '/confidential'),
      link('In the browser', '/public'),
      ...(grantsUrl === undefined ? [] : [link('Your grants', grantsUrl)]),
    ],
  })
}

/** The module that runs the face in the browser. */
export const publicScript = '/assets/browser/public-face.js'
