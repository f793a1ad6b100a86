/** Opening an even/odd pair of ports: both or neither (RFC 3550 §11). */
import { RelayError } from '../errors'
import type { Clock, DatagramChannel, DatagramNetwork, DatagramSink } from '../ports'
import type { LegPorts } from '../relay/leg'
import type { RelayInterface } from './interfaces'

/** What opening needs. */
export interface PairContext {
  readonly network: DatagramNetwork
  readonly clock: Clock
  readonly bindAttemptsMax: number
}

/**
 * Opens a random free pair of an interface. A port that another program holds costs an attempt; the pair goes back to
 * rest and another is tried. Rejects with RelayError PORTS_EXHAUSTED or SOCKET_FAILED, and then nothing is left open.
 */
export async function openPair(
  context: PairContext,
  on: RelayInterface,
  rtpSink: DatagramSink,
  rtcpSink: DatagramSink,
): Promise<LegPorts> {
  for (let attempt = 0; attempt < context.bindAttemptsMax; attempt++) {
    const port = on.pool.take(context.clock.monotonicMs())
    if (port === undefined) break
    let rtp: DatagramChannel | undefined
    try {
      rtp = await context.network.open(on.address, port, on.family, rtpSink)
      const rtcp = await context.network.open(on.address, port + 1, on.family, rtcpSink)
      const { index, family, advertisedAddress } = on
      return { interfaceIndex: index, family, advertisedAddress, port, rtp, rtcp }
    } catch (error) {
      await rtp?.close()
      on.pool.giveBack(port, context.clock.monotonicMs())
      const code = codeOf(error)
      if (code !== 'EADDRINUSE') throw new RelayError('SOCKET_FAILED', code)
    }
  }
  throw new RelayError('PORTS_EXHAUSTED', on.name)
}

/** Closes a pair and gives it back at once; resolves when both sockets are closed. */
export async function closePair(clock: Clock, on: RelayInterface, ports: LegPorts): Promise<void> {
  const closing = Promise.all([ports.rtp.close(), ports.rtcp.close()])
  on.pool.giveBack(ports.port, clock.monotonicMs())
  await closing
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'unknown'
}
