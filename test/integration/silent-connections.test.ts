/** Ten thousand connections that say nothing, or as many as this process may open: they go, and the stack serves. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { SipStack } from '@carillon/sip-transaction'
import { FakeClock } from '@carillon/sip-transaction/testing'
import { expect, it } from 'vitest'
import { TestAuthority } from '../support/certificates'

/** Both ends are in this process, and other files are open as well. */
function connectionsAllowed(): number {
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } }
  const soft = Number(report.userLimits?.open_files?.soft)
  return Math.min(10_000, Math.max(100, Math.floor(((Number.isFinite(soft) ? soft : 20_000) - 1_000) / 2)))
}

it.each(['tcp', 'tls', 'ws', 'wss'])(
  '%s: connections that say nothing are closed, and cost nobody else anything',
  async (scheme) => {
    // The largest number once; a tenth of it is enough to see the same of the others.
    const count = scheme === 'tls' ? connectionsAllowed() : Math.floor(connectionsAllowed() / 10)
    const clock = new FakeClock()
    const authority = await TestAuthority.create()
    const own = await authority.issue({ dns: ['example.com'], addresses: ['127.0.0.1'] })
    const stack = await SipStack.create({
      listen: [`${scheme}://127.0.0.1:0`, 'udp://127.0.0.1:0'],
      clock,
      tls: { ca: authority.cert, ...own },
      limits: { transport: { connectionsMax: count, connectionsPerAddressMax: count } },
    })
    const [silent, udp] = stack.listeners
    const sockets: Socket[] = []
    let closed = 0
    while (sockets.length < count) {
      const batch = Array.from({ length: Math.min(200, count - sockets.length) }, () =>
        connect(silent?.port ?? 0, '127.0.0.1'),
      )
      for (const socket of batch) {
        socket.on('error', () => {})
        socket.resume().on('close', () => {
          closed += 1
        })
      }
      sockets.push(...batch)
      await Promise.all(batch.map((socket) => once(socket, 'connect')))
    }
    const refused = connect(silent?.port ?? 0, '127.0.0.1').resume()
    refused.on('error', () => {})
    await once(refused, 'close')

    const other = await SipStack.create({ listen: ['udp://127.0.0.1:0'] })
    const startMs = performance.now()
    expect((await other.request({ method: 'OPTIONS', uri: udp?.uri ?? '' })).status).toBe(200)
    expect(performance.now() - startMs).toBeLessThan(2_000)

    await clock.advance(30_000)
    await expect.poll(() => closed, { timeout: 30_000 }).toBe(count)
    await expect.poll(() => stack.stats().connections).toBe(0)
    expect(clock.pending).toBeLessThan(10)
    await other.close({ graceMs: 0 })
    const closing = stack.close({ graceMs: 0 })
    await clock.advance(10_000)
    await closing
  },
)
