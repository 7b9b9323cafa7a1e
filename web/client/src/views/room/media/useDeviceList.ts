import { onScopeDispose, ref, type Ref } from 'vue'

export interface DeviceChoice {
  id: string
  label: string
}

export interface DeviceList {
  cameras: Ref<DeviceChoice[]>
  microphones: Ref<DeviceChoice[]>
  speakers: Ref<DeviceChoice[]>
  refresh: () => Promise<void>
}

/** What is plugged in. Names are told only after the person allowed the devices once. */
export function useDeviceList(): DeviceList {
  const cameras = ref<DeviceChoice[]>([])
  const microphones = ref<DeviceChoice[]>([])
  const speakers = ref<DeviceChoice[]>([])

  async function refresh(): Promise<void> {
    if (!('mediaDevices' in navigator)) return
    const all = await navigator.mediaDevices.enumerateDevices().catch(() => [])
    const choices = (kind: MediaDeviceKind): DeviceChoice[] =>
      all
        .filter((one) => one.kind === kind && one.deviceId)
        .map((one) => ({ id: one.deviceId, label: one.label }))
    cameras.value = choices('videoinput')
    microphones.value = choices('audioinput')
    speakers.value = choices('audiooutput')
  }

  if ('mediaDevices' in navigator) {
    const changed = (): void => void refresh()
    navigator.mediaDevices.addEventListener('devicechange', changed)
    onScopeDispose(() => navigator.mediaDevices.removeEventListener('devicechange', changed))
  }
  void refresh()
  return { cameras, microphones, speakers, refresh }
}
