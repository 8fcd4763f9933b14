/**
 * Settings with which a service believes that it is so many seconds later (or earlier) than it is: every `Date` of its process is shifted
 * before any of its code runs. Clocks that only measure go on as they are.
 */
export function shiftedClock(seconds: number): NodeJS.ProcessEnv {
  const program = `
    const Real = Date, by = ${seconds * 1000}
    globalThis.Date = new Proxy(Real, {
      construct: (target, args, own) => Reflect.construct(target, args.length ? args : [Real.now() + by], own),
      apply: () => new Real(Real.now() + by).toString(),
      get: (target, name) => name === 'now' ? () => Real.now() + by : Reflect.get(target, name),
    })`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(program)}` }
}
