import type { ExecutionProvider } from "../domain/execution-provider.ts";

/**
 * Why a provider cannot run here, from what ONNX Runtime wrote while it was tried: the exact library that is missing and
 * the command that installs it, or else its own reason, on one line. `end` is how the trial ended, for when it wrote
 * nothing.
 */
export function explainProviderFailure(provider: ExecutionProvider, written: string, end: string): string {
  const library = missingLibrary(written);
  if (library !== undefined) return `${library} is missing; install it with: ${installing(library)}`;
  if (/backend not found/.test(written)) {
    return `onnxruntime-node for ${process.platform}/${process.arch} has no ${provider}`;
  }
  if (/Failed to get a WebGPU adapter/.test(written)) {
    return `no GPU with a Vulkan driver was found; install one with: apt-get install mesa-vulkan-drivers (AMD, Intel) or apt-get install cuda-drivers (NVIDIA)`;
  }
  return reason(written) ?? end;
}

/** The last one named: a library that misses another is told before it. */
function missingLibrary(written: string): string | undefined {
  const found = [...written.matchAll(/([^\s/:]+\.so[.\d]*): cannot open shared object file/g)];
  return found.at(-1)?.[1];
}

/**
 * The first that fits. NVIDIA's packages come from its own repository, which docs/operations.md says how to add; the
 * number behind `.so` is that of the CUDA version for the libraries that come with CUDA itself.
 */
const packages: readonly [library: RegExp, command: (version: string) => string][] = [
  [
    /^libonnxruntime_providers_/,
    () => "ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node --ignore-scripts=false",
  ],
  [/^libvulkan\./, () => "apt-get install libvulkan1"],
  [/^libcuda\./, () => "apt-get install cuda-drivers"],
  [/^libcudnn/, () => "apt-get install libcudnn9-cuda-12"],
  [/^libnv(infer|onnxparser)/, () => "apt-get install libnvinfer-plugin10 libnvonnxparsers10"],
  [
    /^lib(cudart|cublas|cublasLt|nvrtc|nvJitLink)\./,
    (version) => `apt-get install cuda-toolkit-${version || "12"}`,
  ],
  [/^lib(cufft|curand|cusparse|cusolver)/, () => "apt-get install cuda-toolkit-12"],
];

function installing(library: string): string {
  const [, version = ""] = /\.so\.(\d+)/.exec(library) ?? [];
  const known = packages.find(([name]) => name.test(library));
  return known?.[1](version) ?? `apt-get install apt-file && apt-file update && apt-file search ${library}`;
}

/** What the trial threw, without the place in ONNX Runtime's source that it begins with. */
function reason(written: string): string | undefined {
  const [, thrown] = /^trial: (.*)$/m.exec(written) ?? [];
  return thrown?.replace(/^\/onnxruntime_src\/\S+ .*? was false\. /, "").trim() || undefined;
}
