/** The relays that are loaded, each started on core 0 with its streams set up. */
import { fileURLToPath } from 'node:url'
import { isOnPath, type Pinned, startPinned } from '../load/pinned.ts'
import type { LoadedServer } from '../load/servers.ts'
import { askForStreams } from './ng.ts'
import { freeEnds, type StreamPorts, streamCount } from './streams.ts'

const relayCore = 0
/** Beside each other, and under the ports that the system gives out itself. */
const ports = { carillon: ['20000', '23999'], rtpengine: ['24000', '27999'], control: 28_223 } as const
const startMs = 20_000

/** A relay with its streams. */
export interface LoadedRelay extends LoadedServer {
  /** Streams that have not been used. */
  freshStreams(): readonly StreamPorts[]
}

/** What the relay does to the packets. */
export type RelayKind = 'plain' | 'srtp'

/** Our relay, in one thread. */
export async function startCarillon(kind: RelayKind): Promise<LoadedRelay> {
  const ends = (await freeEnds()).map(({ source, sink }) => `${source}:${sink}`)
  const file = fileURLToPath(new URL('./peers/carillon-relay.ts', import.meta.url))
  const relay = startPinned(relayCore, process.execPath, [file, kind, ...ports.carillon, ...ends])
  await relay.waitFor(/ready/, startMs)
  const streams = JSON.parse(/^\[.*\]$/m.exec(relay.output())?.[0] ?? '[]') as StreamPorts[]
  return loaded('carillon', 'createRelay, one thread', relay, streams)
}

/** rtpengine in user space with one thread for packets; undefined where it is not installed. */
export async function startRtpengine(kind: RelayKind): Promise<LoadedRelay | undefined> {
  if (!isOnPath('rtpengine')) return undefined
  const [portMin, portMax] = ports.rtpengine
  const relay = startPinned(relayCore, 'rtpengine', [
    '--config-file=none',
    '--interface=127.0.0.1',
    `--listen-ng=127.0.0.1:${ports.control}`,
    `--port-min=${portMin}`,
    `--port-max=${portMax}`,
    '--table=-1',
    '--num-threads=1',
    // All streams are set up at the beginning, and the last ones are used minutes later.
    ...['--timeout', '--silent-timeout', '--offer-timeout'].map((name) => `${name}=3600`),
    '--foreground',
    '--log-stderr',
    '--log-level=6',
  ])
  await relay.waitFor(/Startup complete/, startMs)
  const streams = await askForStreams(ports.control, await freeEnds(), kind === 'srtp')
  return loaded('rtpengine', 'user space, one thread for packets', relay, streams)
}

function loaded(name: string, does: string, relay: Pinned, streams: readonly StreamPorts[]): LoadedRelay {
  let used = 0
  const freshStreams = (): readonly StreamPorts[] => {
    const fresh = streams.slice(used, used + streamCount)
    used += streamCount
    if (fresh.length < streamCount) throw new Error(`${name} has no unused streams left`)
    return fresh
  }
  return { name, does, port: 0, pid: relay.pid, output: relay.output, stop: relay.stop, freshStreams }
}
