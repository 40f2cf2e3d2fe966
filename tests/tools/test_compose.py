"""docker-compose.yml: valid by the compose specification's schema, pinned, private, healthy.

No Docker engine is asked for; what a schema cannot say is read from the file itself. Where Docker
Compose is installed, it reads the file, too; that takes no engine.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
TEXT = COMPOSE.read_text(encoding="utf-8")
SPEC = yaml.safe_load(TEXT)
SERVICES = SPEC["services"]
SECRET_NAME = re.compile(r"PASSWORD|TOKEN|SECRET|AUTH$|_KEY|REDIS_URL")

ONCE = "milvus-owner"  # does its work and ends
LASTING = [name for name in SERVICES if name != ONCE]

each_service = pytest.mark.parametrize("name", SERVICES)
each_lasting_service = pytest.mark.parametrize("name", LASTING)


def validate(file: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    return subprocess.run([*command, file], capture_output=True, text=True, check=False)


def test_it_meets_the_compose_specification():
    result = validate(COMPOSE)
    assert result.returncode == 0, result.stdout


def test_the_schema_is_really_asked(tmp_path: Path):
    bad = tmp_path / "docker-compose.yml"
    bad.write_text(TEXT.replace("healthcheck:", "health_check:"))
    assert validate(bad).returncode == 1


def test_every_service_of_the_bootcamp_is_there():
    assert set(SERVICES) == {ONCE, "milvus", "redis", "attu", "jupyter"}


@each_service
def test_images_are_pinned_to_a_version(name: str):
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image
    assert re.fullmatch(r"v?\d+\.\d+\.\d+[\w.-]*", tag), f"{name} takes {tag}, a moving tag"


def compose() -> list[str]:
    """Docker Compose, as a plugin of Docker's client or by itself; empty where there is none."""
    client = shutil.which("docker")
    version = [client, "compose", "version"]
    if client and not subprocess.run(version, capture_output=True, check=False).returncode:
        return [client, "compose"]
    alone = shutil.which("docker-compose")
    return [alone] if alone else []


@pytest.mark.skipif(not compose(), reason="Docker Compose is not installed")
def test_docker_compose_reads_the_file():
    def read(**secrets: str) -> subprocess.CompletedProcess:
        known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        command = [*compose(), "--env-file", os.devnull, "--file", COMPOSE, "config"]
        command += ["--format", "json"]
        return subprocess.run(command, capture_output=True, text=True, env=known | secrets)

    good = read(MILVUS_ROOT_PASSWORD="one", REDIS_PASSWORD="two", JUPYTER_TOKEN="three")
    assert good.returncode == 0, good.stderr
    spec = json.loads(good.stdout)
    assert set(spec["services"]) == set(SERVICES)
    assert spec["services"]["jupyter"]["environment"]["MILVUS_TOKEN"] == "root:one"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("milvus", "redis"):  # the backup in the README names them
        assert f"--volume {spec['volumes'][name]['name']}:" in readme
    bad = read(MILVUS_ROOT_PASSWORD="one", JUPYTER_TOKEN="three")
    assert bad.returncode and "choose a Redis password" in bad.stderr


def pinned(package: str) -> str:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{package}=="))


def test_server_and_client_are_of_one_line():
    version = SERVICES["milvus"]["image"].partition(":v")[2]
    assert version.split(".")[:2] == pinned("pymilvus").split(".")[:2]
    # Attu 3 speaks to Milvus 2.6 and 3, under another variable than Attu 2.
    assert SERVICES["attu"]["image"].partition(":v")[2].split(".")[0] == "3"
    assert SERVICES["attu"]["environment"] == {"MILVUS_ADDRESS": "milvus:19530"}


def test_redis_is_one_without_the_faults_of_8_2_3():
    version = SERVICES["redis"]["image"].partition(":")[2]
    assert tuple(map(int, version.split("."))) >= (8, 2, 9)


def test_milvus_owns_its_volume_before_it_starts():
    owner, milvus = SERVICES[ONCE], SERVICES["milvus"]
    assert owner["image"] == milvus["image"] and owner["volumes"] == milvus["volumes"]
    assert owner["user"] == "0:0" and owner["network_mode"] == "none"
    assert "user" not in milvus  # it stays the image's 999
    assert milvus["depends_on"] == {ONCE: {"condition": "service_completed_successfully"}}


def test_a_volume_changes_hands_once(tmp_path: Path):
    command = SERVICES[ONCE]["entrypoint"]
    assert command[:2] == ["sh", "-c"]
    volume = tmp_path / "volume"
    (volume / "data").mkdir(parents=True)
    # As Compose gives it to the shell, on a folder and for a user of this test.
    script = command[2].replace("$$", "$").replace("/var/lib/milvus", str(volume))
    for wanted in ("999", str(volume.stat().st_uid)):
        here = script.replace("999", wanted).replace("chown", "echo chown")
        done = subprocess.run(["sh", "-c", here], capture_output=True, text=True, check=True)
        is_given = wanted != str(volume.stat().st_uid)
        expected = f"chown --recursive {wanted}:{wanted} {volume}\n"
        assert done.stdout == (expected if is_given else "")


@each_lasting_service
def test_ports_are_open_to_this_machine_only(name: str):
    ports = SERVICES[name]["ports"]
    assert ports
    for port in ports:
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), f"{name} opens {port} to the network"


@each_lasting_service
def test_services_say_when_they_are_healthy(name: str):
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries"} <= set(check)


@each_service
def test_services_wait_for_a_healthy_one_not_a_started_one(name: str):
    for other, how in SERVICES[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other == ONCE else "service_healthy"
        assert how == {"condition": wanted}, f"{name} does not wait for {other}"


def test_jupyter_is_connected_to_both_servers_and_waits_for_them():
    jupyter = SERVICES["jupyter"]
    assert set(jupyter["depends_on"]) == {"milvus", "redis"}
    environment = jupyter["environment"]
    assert environment["MILVUS_URI"] == "http://milvus:19530"
    assert re.fullmatch(r"root:\$\{MILVUS_ROOT_PASSWORD:\?[^}]+\}", environment["MILVUS_TOKEN"])
    assert re.fullmatch(
        r"redis://:\$\{REDIS_PASSWORD:\?[^}]+\}@redis:6379/0", environment["REDIS_URL"]
    )


def test_milvus_asks_for_a_password():
    environment = SERVICES["milvus"]["environment"]
    assert environment["COMMON_SECURITY_AUTHORIZATIONENABLED"] == "true"
    assert "${MILVUS_ROOT_PASSWORD:?" in environment["COMMON_SECURITY_DEFAULTROOTPASSWORD"]


def test_redis_asks_for_a_password():
    command = SERVICES["redis"]["command"]
    assert command[command.index("--requirepass") + 1].startswith("${REDIS_PASSWORD:?")


@each_service
def test_no_password_stands_in_the_file(name: str):
    for variable, value in SERVICES[name].get("environment", {}).items():
        if SECRET_NAME.search(variable):
            assert "${" in value, f"{name} has {variable} written out"


def test_a_missing_password_is_an_error_that_says_what_to_do():
    for variable, rest in re.findall(r"\$\{(\w+)([^}]*)\}", TEXT):
        if SECRET_NAME.search(variable):
            assert re.match(r":\?copy \.env\.example to \.env and choose .+ in it$", rest), variable


def test_every_variable_stands_in_the_example_without_a_value_for_secrets():
    example = dict(
        line.split("=", 1)
        for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    assert set(example) == set(re.findall(r"\$\{(\w+)", TEXT))
    assert {name for name, value in example.items() if value} == {"NOTEBOOK_UID", "NOTEBOOK_TORCH"}
    for name in ("NOTEBOOK_UID", "NOTEBOOK_TORCH"):
        assert f"${{{name}:-{example[name]}}}" in TEXT


def test_volumes_and_configs_are_declared_and_used():
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    sources = {mount.split(":")[0] for mount in mounts}
    assert {source for source in sources if not source.startswith(".")} == set(SPEC["volumes"])
    configs = {c["source"] for service in SERVICES.values() for c in service.get("configs", [])}
    assert configs == set(SPEC["configs"])


def test_servers_keep_their_data_in_volumes():
    for name in ("milvus", "redis", "attu"):
        assert SERVICES[name]["volumes"], f"{name} forgets everything with its container"


def test_stores_lie_on_a_volume():
    jupyter = SERVICES["jupyter"]
    assert f"stores:{jupyter['environment']['BOOTCAMP_STORES']}" in jupyter["volumes"]


def test_the_image_is_built_from_the_tested_set_and_not_run_as_root():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "FROM python:3.12-slim-bookworm" in lines
    assert any('-r "locks/$TORCH.txt" -r locks/wheels.txt' in line for line in lines)
    assert "ARG TORCH=torch" in lines
    for name in ("torch", "torch-cpu"):
        assert (ROOT / "locks" / f"{name}.txt").exists()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users and users[-1] not in ("root", "0")


def lint(dockerfile: Path) -> subprocess.CompletedProcess:
    hadolint = Path(sys.executable).with_name("hadolint")
    command = [hadolint, "--failure-threshold", "warning", dockerfile]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_dockerfile_passes_its_linter(tmp_path: Path):
    good = lint(ROOT / "Dockerfile")
    assert good.returncode == 0, good.stdout
    bad = tmp_path / "Dockerfile"
    bad.write_text((ROOT / "Dockerfile").read_text().replace("bookworm", "bookworm AS a AS b"))
    assert lint(bad).returncode == 1


def test_the_image_holds_no_passwords_and_no_environment_of_this_machine():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".env", ".git", ".venv", ".stores", "build"} <= set(ignored)
    assert "docs" not in ignored  # notebook 11 shows a picture that lies there
