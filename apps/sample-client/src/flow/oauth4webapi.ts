/** The one place that names the package: a browser can not resolve it, so there the package's own file stands at this address. */
export * from 'oauth4webapi'
