import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import type { Api } from '@/protocol/http/api'
import type { Upload } from '@/protocol/http/shapes'

import { asProblem, NETWORK_UNREACHABLE, TIMED_OUT } from '@/protocol/problem'

/** Half a minute on a line of 35 kB/s; what a break costs at most. */
const CHUNK_BYTES = 1024 * 1024
const RETRY_MS = [2_000, 4_000, 8_000, 15_000, 30_000]
const PASSING = [NETWORK_UNREACHABLE, TIMED_OUT, 'upload_checksum', 'database_busy', 'database_unavailable']

interface Uploading {
  sent: Ref<number>
  /** The last chunk is on its way, with which the server looks at the whole film before it answers. */
  finishing: Ref<boolean>
  /** The line is broken, and it is tried again by itself. */
  waiting: Ref<boolean>
  problem: ShallowRef<unknown>
  /** Sends what is missing; answers the recording's id, undefined where it was stopped or refused. */
  run: (file: Blob, upload: Upload) => Promise<string | undefined>
  stop: () => void
}

/** Sends a film chunk by chunk, and goes on by itself where the line breaks. */
export function useUpload(api: Api): Uploading {
  const sent = ref(0)
  const finishing = ref(false)
  const waiting = ref(false)
  const problem = shallowRef<unknown>()
  let stopped = new AbortController()

  const isStopped = (): boolean => stopped.signal.aborted

  async function run(file: Blob, upload: Upload): Promise<string | undefined> {
    stopped = new AbortController()
    problem.value = undefined
    let failures = 0
    let { offset } = upload
    while (!isStopped()) {
      sent.value = offset
      try {
        const chunk = file.slice(offset, offset + CHUNK_BYTES)
        finishing.value = offset + chunk.size >= file.size
        const answered = await api.sendChunk(upload.id, offset, chunk, stopped.signal)
        failures = 0
        waiting.value = false
        if (answered.recordingId) return answered.recordingId
        offset = answered.offset
      } catch (error) {
        const { code, details } = asProblem(error)
        if (code === 'upload_offset' && typeof details.offset === 'number') {
          offset = details.offset
          continue
        }
        if (!PASSING.includes(code)) {
          if (!isStopped()) problem.value = error
          return undefined
        }
        waiting.value = true
        await pause(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 30_000)
      }
    }
    return undefined
  }

  return { sent, finishing, waiting, problem, run, stop: () => stopped.abort() }
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))
