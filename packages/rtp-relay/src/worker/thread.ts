/**
 * The program of a worker: one engine with its own sockets. It ends with the relay that started it, or alone by an error
 * that nothing caught; the relay then replaces it.
 */
import { getHeapStatistics } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { createEngine } from '../control/engine'
import { nodeClock } from '../io/node-clock'
import { tapIntervalMs, workerReportIntervalMs } from '../limits'
import { EngineHost } from './engine-host'
import { messageOf } from './error-message'
import type { FromWorker, ToWorker, WorkerStart } from './protocol'

async function run({ options, portStates }: WorkerStart): Promise<void> {
  const port = parentPort
  if (port === null) throw new Error('this file is the program of a worker thread')
  const post = (message: FromWorker, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, [...transfer])
  try {
    const engine = await createEngine(options, portStates)
    const heapBytes = (): number => getHeapStatistics().used_heap_size
    const host = new EngineHost(engine, { clock: nodeClock, heapBytes, isOwners: false, post })
    port.on('message', (message: ToWorker) => host.handle(message))
    setInterval(() => host.report(), workerReportIntervalMs)
    setInterval(() => host.flushTaps(), tapIntervalMs)
    post({ kind: 'ready' })
    host.report()
  } catch (error) {
    post({ kind: 'refused', error: messageOf(error) })
  }
}

void run(workerData as WorkerStart)
