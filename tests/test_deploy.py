"""The files of deploy/ agree with the code; what cannot be run here is at least read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from emoscope.observe.metrics import ServerMetrics
from emoscope.settings import Settings

pytestmark = pytest.mark.process

PROBES = {"startup": "/health/ready", "readiness": "/health/ready", "liveness": "/health/live"}
DEPLOY = Path(__file__).parent.parent / "deploy"


def test_every_setting_that_is_named_exists() -> None:
    known = {f"EMOSCOPE_{name.upper()}" for name in Settings.model_fields} | {
        "EMOSCOPE_CACHE",
        "EMOSCOPE_DATA",
    }
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            named = set(re.findall(r"EMOSCOPE_[A-Z_]+", path.read_text("utf-8")))
            assert named <= known, (path.name, named - known)


def test_yaml_is_yaml_and_names_files_that_are_there() -> None:
    for path in DEPLOY.rglob("*.yaml"):
        assert yaml.safe_load(path.read_text("utf-8"))
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    assert services["emoscope"]["read_only"] is True
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./") and source != "./prometheus-key":
                assert (DEPLOY / source).is_file(), source


@pytest.fixture(scope="module")
def metrics_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """All metrics of a server, as Prometheus reads them."""
    from emoscope.backends.fake_backend import FakeBackend
    from emoscope.outputs.store import RunStore
    from emoscope.recognizer import Recognizer
    from emoscope.results.result import ModelRef
    from emoscope.server.app import create_app
    from emoscope.settings import load_settings

    outputs = tmp_path_factory.mktemp("outputs")
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    settings = load_settings(outputs=outputs, keys=outputs / "keys.json")
    app = create_app(recognizer, RunStore(outputs), settings, page=False)
    metrics = app.state.service.metrics
    assert isinstance(metrics, ServerMetrics)
    return metrics.text().decode()


@pytest.fixture(scope="module")
def kinds(metrics_text: str) -> dict[str, str]:
    """Kinds of all metrics of a server, by their names."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", metrics_text, re.MULTILINE))


def test_dashboard_and_alerts_ask_for_metrics_that_exist(kinds: dict[str, str]) -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "emoscope.json").read_text("utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    (group,) = yaml.safe_load((DEPLOY / "alerts.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        asked.append(rule["expr"])
    names = {name for one in asked for name in re.findall(r"(?:emoscope|process)_[a-z_]+", one)}
    assert len(names) > 10
    for name in names:
        assert name.removesuffix("_bucket") in kinds, name


def test_metrics_are_named_by_the_conventions_of_prometheus(kinds: dict[str, str]) -> None:
    ours = {name: kind for name, kind in kinds.items() if name.startswith("emoscope_")}
    assert len(ours) > 20
    for name, kind in ours.items():
        assert name.endswith("_total") == (kind == "counter"), (name, kind)
        assert kind != "histogram" or name.endswith("_duration_seconds"), name


@pytest.mark.parametrize("what", ["metrics", "rules", "config"])
def test_promtool_finds_no_fault(metrics_text: str, tmp_path: Path, what: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("there is no promtool here, which comes with Prometheus")
    command = [program, "check", what]
    if what == "rules":
        command.append(str(DEPLOY / "alerts.yaml"))
    elif what == "config":
        text = (DEPLOY / "prometheus.yaml").read_text("utf-8")
        shutil.copy(DEPLOY / "alerts.yaml", tmp_path / "emoscope-alerts.yaml")
        (tmp_path / "emoscope-key").write_text("emo_1")
        (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus", str(tmp_path)))
        command.append(str(tmp_path / "prometheus.yml"))
    text = metrics_text if what == "metrics" else None
    ran = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_container_is_not_root_and_is_watched() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")

    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "--require-hashes" in text


def test_the_unit_is_a_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd-analyze here to verify the unit with")
    unit = tmp_path / "emoscope.service"
    text = (DEPLOY / "emoscope.service").read_text("utf-8")
    unit.write_text(text.replace("/opt/emoscope/bin/emoscope", "/bin/true"))
    ran = subprocess.run(
        [program, "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert "emoscope.service:" not in ran.stderr, ran.stderr


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("there is no nginx here to check its file with")
    site = (DEPLOY / "nginx.conf").read_text("utf-8")
    site = site.replace("listen 443 ssl;", "listen 127.0.0.1:8443;")
    site = re.sub(r"^\s*ssl_certificate.*$", "", site, flags=re.MULTILINE)
    whole = tmp_path / "nginx.conf"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    whole.write_text(f"pid {tmp_path}/pid; events {{}} http {{ access_log off; {own} {site} }}")
    ran = subprocess.run(
        [program, "-t", "-c", str(whole), "-e", "stderr"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_nginx_passes_on_the_port_of_the_host_and_that_it_is_a_proxy() -> None:
    """The server compares Origin and Host with their ports, and refuses proxies without keys."""
    site = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert "proxy_set_header Host $http_host;" in site
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in site


def test_the_health_check_of_the_image_asks_over_tls_where_there_is_tls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    command = re.search(r"HEALTHCHECK .*?CMD (\[.*?\])\n", text, re.DOTALL)
    assert command is not None
    _, _, program = json.loads(re.sub(r"\\\n *", "", command[1]))
    asked: list[tuple[str, bool]] = []

    def urlopen(address: str, timeout: float, context: object) -> None:
        asked.append((address, context is not None))

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    exec(compile(program, "HEALTHCHECK", "exec"), {})  # noqa: S102 - our own file
    monkeypatch.setenv("EMOSCOPE_TLS_CERT", "/data/cert.pem")
    monkeypatch.setenv("EMOSCOPE_PORT", "7443")
    exec(compile(program, "HEALTHCHECK", "exec"), {})  # noqa: S102 - our own file
    assert asked == [
        ("http://127.0.0.1:7860/health/ready", False),
        ("https://127.0.0.1:7443/health/ready", True),
    ]


def test_the_image_is_built_from_what_it_needs_only() -> None:
    ignored = (DEPLOY.parent / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored  # everything but what is named
    sent = {line[1:] for line in ignored if line.startswith("!")}
    steps = (DEPLOY / "Dockerfile").read_text("utf-8")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", steps, re.MULTILINE)
    needed = {word.split("/")[0] for line in copied for word in line.split()}
    assert {path.split("/")[0] for path in sent} == needed


COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


def test_compose_has_no_password_of_its_own() -> None:
    given = COMPOSE["services"]["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD"]
    assert given.startswith("${GRAFANA_PASSWORD:?")


def test_every_image_can_be_given_by_its_digest() -> None:
    steps = (DEPLOY / "Dockerfile").read_text("utf-8")
    base = re.search(r"^ARG PYTHON_IMAGE=(\S+)\nFROM", steps, re.MULTILINE)
    assert base is not None
    assert set(re.findall(r"^FROM (\S+)", steps, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    built = COMPOSE["services"]["emoscope"]["build"]["args"]
    assert built == {"PYTHON_IMAGE": f"${{PYTHON_IMAGE:-{base[1]}}}"}
    for name, service in COMPOSE["services"].items():
        given = re.fullmatch(r"\$\{([A-Z]+)_IMAGE:-[a-z/]+:v?[0-9.]+\}", service["image"])
        assert name == "emoscope" or (given is not None and given[1] == name.upper())


def test_compose_uses_no_key_that_compose_does_not_know() -> None:
    assert set(COMPOSE) == {"services", "volumes"}
    known = {"build", "image", "read_only", "tmpfs", "volumes", "ports", "environment", "cap_drop"}
    known |= {"security_opt", "mem_limit", "pids_limit", "stop_grace_period", "restart"}
    for service in COMPOSE["services"].values():
        assert set(service) <= known
        assert service["restart"] == "unless-stopped"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")  # what is open to others is the operator's choice
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"]


def test_uploads_fit_into_the_temporary_folder() -> None:
    service = COMPOSE["services"]["emoscope"]
    size = re.fullmatch(r"/tmp:size=(\d+)m,mode=1777", service["tmpfs"][0])  # noqa: S108 - of the container
    uploads_bytes = int(service["environment"]["EMOSCOPE_UPLOADS_MAX_BYTES"])
    assert size is not None
    assert 1.2 * uploads_bytes < int(size[1]) << 20 < (int(service["mem_limit"][:-1]) << 30) / 2
    volumes = {
        one["name"]: one for one in manifests()["Deployment"]["spec"]["template"]["spec"]["volumes"]
    }
    limit = volumes["tmp"]["emptyDir"]["sizeLimit"]
    assert int(limit.removesuffix("Gi")) << 30 > 1.2 * Settings().uploads_max_bytes


def manifests() -> dict[str, dict[str, Any]]:
    """The manifests for Kubernetes, by kind."""
    folder = DEPLOY / "kustomize"
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert {path.name for path in folder.iterdir()} == {"kustomization.yaml", *listed}
    found = [yaml.safe_load((folder / name).read_text("utf-8")) for name in listed]
    assert {one["metadata"]["name"] for one in found} == {"emoscope"}
    return {one["kind"]: one for one in found}


def test_the_manifests_hang_together() -> None:
    found = manifests()
    spec = found["Deployment"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    labels = spec["template"]["metadata"]["labels"]
    assert labels == spec["selector"]["matchLabels"] == found["Service"]["spec"]["selector"]
    (port,) = found["Service"]["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (Settings().port, container["ports"][0]["name"])
    assert container["ports"][0]["containerPort"] == Settings().port
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
    claim = volumes["data"]["persistentVolumeClaim"]["claimName"]
    assert claim == found["PersistentVolumeClaim"]["metadata"]["name"]


def test_a_pod_drains_is_watched_and_is_alone_on_its_volume() -> None:
    spec = manifests()["Deployment"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    settings = {
        one["name"].removeprefix("EMOSCOPE_").lower(): one["value"] for one in container["env"]
    }
    drain_s = float(settings["drain_s"])
    sleep_s = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= sleep_s + drain_s + 10
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")
    paths = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in PROBES}
    assert paths == PROBES
    assert pod["enableServiceLinks"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["securityContext"]["runAsNonRoot"] is True
    asked = {
        name: json.loads(value) if value[0] == "[" else value for name, value in settings.items()
    }
    Settings(**asked)


def test_the_bill_of_materials_names_what_the_lock_pins(tmp_path: Path) -> None:
    if shutil.which("cyclonedx-py") is None:
        pytest.skip("cyclonedx-py is not installed, and is not fetched by a test")
    script, file = DEPLOY.parent / "scripts" / "sbom.sh", tmp_path / "sbom.json"
    subprocess.run([str(script), str(file)], check=True, timeout=120, capture_output=True)
    parts = {one["name"] for one in json.loads(file.read_text("utf-8"))["components"]}
    lock = (DEPLOY.parent / "requirements" / "run.txt").read_text("utf-8")
    assert parts == set(re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE))
