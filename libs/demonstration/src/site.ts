/** Where a platform and the demonstration are reached: absolute URLs without a slash at the end. */
export interface Site {
  readonly issuer: string
  /** The clients service: `/clients` and `/apis` are beneath it. */
  readonly clients: string
  /** The consent service: `/accounts`, `/organizations` and `/grants` are beneath it. */
  readonly consent: string
  /** Of the sample API, which answers there too. */
  readonly audience: string
  /** The sample application. */
  readonly application: string
}

/** The page “your grants”. */
export const grantsOf = ({ consent }: Site) => `${consent}/grants`
