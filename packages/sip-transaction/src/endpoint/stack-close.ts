/** The end of a stack, in order: RFC 3261 §15 for its calls, §9 and §21.4.25 for what still rings. */
import type { StackRuntime } from './stack-runtime'

/** Ends a stack: see `SipStack.close`. */
export async function closeStack(runtime: StackRuntime, graceMs: number): Promise<void> {
  const { core } = runtime
  core.isClosing = true
  core.submit(() => {
    core.events.hangUp()
    core.registrations.hangUp()
  })
  await waitUntil(runtime, () => core.alive.size === 0, graceMs)
  core.submit(() => {
    for (const closable of core.alive.list()) closable.hangUp('shutting down')
  })
  await waitUntil(
    runtime,
    () => core.alive.size === 0 && core.requests.size === 0 && core.waiting === 0,
    core.limits.closeDrainMs,
  )
  runtime.isClosed = true
  core.submit(() => {
    // A call whose BYE still waits for an ACK ends here; whoever waits for it or for its end is told.
    for (const session of [...core.sessions.values()]) session.abandon()
    for (const request of core.requests.list()) request.abandon()
    for (const session of [...core.sessions.values()]) session.close()
    core.events.close()
    core.registrations.close()
  })
  core.driver.stop()
  core.locator.close()
  await Promise.all(runtime.transports.map((transport) => transport.close()))
  runtime.release()
}

/** Resolves when the condition holds, or when the time is over. */
function waitUntil(runtime: StackRuntime, isDone: () => boolean, atMostMs: number): Promise<void> {
  const { core } = runtime
  return new Promise((resolve) => {
    if (isDone() || atMostMs <= 0) {
      resolve()
      return
    }
    const finish = () => {
      late.cancel()
      core.onChange = () => {}
      resolve()
    }
    const late = core.driver.at(core.driver.nowMs + atMostMs, finish)
    core.onChange = () => {
      if (isDone()) finish()
    }
  })
}
