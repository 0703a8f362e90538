// What surrounds pcm.js, which runs beside the sound card; TypeScript's own libraries lack it.

declare const sampleRate: number;

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

declare function registerProcessor(name: string, kind: typeof AudioWorkletProcessor): void;
