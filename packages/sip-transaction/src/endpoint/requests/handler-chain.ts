/** Runs handlers one inside the other. A handler that throws gives a 500 and a log line, never a crash. */
import type { Core } from '../core'
import { describeError } from '../driver'
import type { Handler } from '../options'
import type { IncomingRequest } from './incoming-request'

/**
 * Runs handlers in order, each by the `next` of the one before. `last` runs when the last handler calls its `next`.
 */
export function runHandlers(
  core: Core,
  handlers: readonly Handler[],
  incoming: IncomingRequest,
  last: (incoming: IncomingRequest) => void,
): void {
  const runFrom = (index: number): unknown => {
    const handler = handlers[index]
    if (handler === undefined) {
      if (!incoming.isAnswered) last(incoming)
      return undefined
    }
    let isCalled = false
    return handler(incoming, async () => {
      if (isCalled) return
      isCalled = true
      await runFrom(index + 1)
    })
  }
  try {
    const running = runFrom(0)
    if (running instanceof Promise) running.catch((error: unknown) => fail(core, incoming, error))
  } catch (error) {
    fail(core, incoming, error)
  }
}

function fail(core: Core, incoming: IncomingRequest, error: unknown): void {
  core.counters.handlerErrors += 1
  core.logger.error(
    { method: incoming.method, callId: incoming.callId, error: describeError(error) },
    'A handler failed',
  )
  incoming.answer(500)
}
