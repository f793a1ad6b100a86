/** Worker threads of Node as the relay's slots want them. */
import { type ResourceLimits, Worker } from 'node:worker_threads'
import type { RelayOptions } from '../control/options'
import type { FromWorker, WorkerStart } from './protocol'
import type { WorkerThread, WorkerThreadEvents } from './worker-slot'

/**
 * The program of a worker: a file beside this one, in the package as published and in its source. A program that was
 * bundled into one CommonJS file does not know where it is: it can relay in its own thread, but has no file for others.
 */
function findProgram(): { readonly url: URL; readonly isSource: boolean } {
  const here: string | undefined = import.meta.url
  if (here === undefined) throw new Error('Workers need the files of @carillon/rtp-relay, which a bundle leaves out')
  const isSource = here.endsWith('.ts')
  return { url: new URL(isSource ? './thread.ts' : './worker.js', here), isSource }
}

/** Starts a worker. Throws when the system refuses, or the program of a worker is not there. */
export function spawnNodeWorker(
  start: WorkerStart,
  index: number,
  limits: RelayOptions['workerLimits'],
  events: WorkerThreadEvents,
): WorkerThread {
  const { url, isSource } = findProgram()
  const worker = new Worker(url, {
    workerData: start,
    name: `carillon-rtp-relay-${index}`,
    resourceLimits: resourceLimitsOf(limits),
    // As source it needs the flags of this process, which load TypeScript; as published, nothing that a program loads.
    ...(isSource ? {} : { execArgv: [] }),
  })
  let code = 'EXIT'
  let detail = ''
  let last = worker.performance.eventLoopUtilization()
  worker.on('message', (message: FromWorker) => events.message(message))
  worker.on('error', (error: unknown) => {
    code = error instanceof Error && 'code' in error ? String(error.code) : 'UNCAUGHT'
    detail = error instanceof Error ? error.message : String(error)
  })
  // After 'error', and whatever the reason.
  worker.once('exit', () => events.ended(code, detail))
  return {
    post: (message) => worker.postMessage(message),
    busyShare: () => {
      const now = worker.performance.eventLoopUtilization()
      const { utilization } = worker.performance.eventLoopUtilization(now, last)
      last = now
      return utilization
    },
    hold: (isHeld) => {
      if (isHeld) worker.ref()
      else worker.unref()
    },
    kill: () => {
      void worker.terminate()
    },
  }
}

function resourceLimitsOf(limits: RelayOptions['workerLimits'] = {}): ResourceLimits {
  const { maxOldGenerationSizeMb, maxYoungGenerationSizeMb } = limits
  return {
    ...(maxOldGenerationSizeMb === undefined ? {} : { maxOldGenerationSizeMb }),
    ...(maxYoungGenerationSizeMb === undefined ? {} : { maxYoungGenerationSizeMb }),
  }
}
