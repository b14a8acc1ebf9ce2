"""Who works in the demo hospital, and who comes to it. All of them are made up."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

FACILITY = "sunrise"
"""The slug by which the demo hospital is known."""

SMALL_FACILITY = "lakeside"
PASSWORD = "opd-demo"  # noqa: S105 - the sign-in page says it while the demo is loaded


@dataclass(frozen=True)
class Member:
    """Somebody who signs in: the user name, the person, what the sign-in page calls them, and their role."""

    username: str
    name: str
    what: str
    role: str
    facility: str | None = FACILITY


STAFF = (
    Member("admin", "Administrator", "administrator", "super-admin", None),
    Member("asha", "Asha Kulkarni", "reception", "reception"),
    Member("rao", "Dr Rao", "doctor", "doctor"),
    Member("meena", "Meena Pillai", "cashier", "billing-staff"),
    Member("john", "John Mathew", "laboratory", "lab-technician"),
    Member("lata", "Lata Deshmukh", "pharmacy", "pharmacist"),
    Member("vikram", "Vikram Sethi", "manager", "manager"),
    Member("lakshmi", "Lakshmi Hegde", "reception at Lakeside Clinic", "reception", SMALL_FACILITY),
)


@dataclass(frozen=True)
class DoctorPlan:
    """A doctor of the demo: where, when after the first sessions begin (minutes), slots and fees (rupees).

    `pace` is what a patient who was here before usually takes, in minutes.
    """

    name: str
    department: str
    room: str
    starts_after: int
    slot_minutes: int
    capacity: int
    fee: int
    pace: float
    username: str = ""


POLICIES = {
    "General Medicine": "weighted-waitlist",
    "Paediatrics": "considerate",
    "Orthopaedics": "ranked-overbook",
    "Gynaecology": "ranked-next-slot",
    "ENT": "weighted-waitlist",
}
"""The departments, and the preset that decides in each."""

DOCTORS = (
    DoctorPlan("Dr Rao", "General Medicine", "Room 4", 0, 60, 6, 500, 7.0, "rao"),
    DoctorPlan("Dr Meera Iyer", "General Medicine", "Room 5", 60, 30, 3, 450, 7.5),
    DoctorPlan("Dr Teresa D’Souza", "Paediatrics", "Room 1", 0, 60, 5, 400, 8.0),
    DoctorPlan("Dr Kavitha Shenoy", "Paediatrics", "Room 2", 150, 60, 6, 400, 6.5),
    DoctorPlan("Dr Suresh Gupta", "Orthopaedics", "Room 7", 0, 60, 4, 600, 10.0),
    DoctorPlan("Dr Anjali Nair", "Gynaecology", "Room 8", 0, 60, 4, 550, 10.5),
    DoctorPlan("Dr Arun Bhat", "Gynaecology", "Room 9", 180, 60, 5, 550, 8.0),
    DoctorPlan("Dr Imran Khan", "ENT", "Room 11", 30, 60, 6, 350, 5.5),
)

GROWN_UP = 16
"""Whoever is younger is seen by the paediatricians."""

PATIENTS = 400

_WOMEN = """
    Aarti Aishwarya Ananya Anita Asha Bhavna Chitra Deepa Devika Fatima Gauri Geeta Harpreet Indira Jaya Jyoti
    Kamala Kavita Lakshmi Lalita Leela Madhuri Mary Meena Meera Nandini Neha Nirmala Padma Parvati Pooja Priya Radha
    Rekha Revathi Rukmini Sakina Sarita Savitri Shanti Shreya Sita Sneha Sunita Sushila Swati Tara Uma Usha Vasudha
    Vidya Yasmin Zainab
"""
_MEN = """
    Aditya Ajay Amit Anand Arjun Arun Ashok Bala Bharat Chandra David Dev Dinesh Farhan Ganesh Gopal Gurpreet Hari
    Imran Ishaan Jagdish Joseph Karthik Kiran Kishore Krishna Mahesh Manoj Mohan Mohammed Murali Nagesh Naveen
    Nikhil Omkar Prakash Pranav Rahul Rajesh Ramesh Ravi Rohan Sanjay Satish Shiva Sunil Suresh Thomas Uday Varun
    Vijay Vinod Yusuf
"""
_FAMILIES = """
    Agarwal Ahmed Bhat Bose Chatterjee Chauhan Das Desai Deshpande D’Costa Fernandes Ganguly George Ghosh Gill Gowda
    Gupta Hegde Iqbal Iyengar Iyer Jadhav Jain Joshi Kamath Kapoor Kaur Khan Kulkarni Kumar Lobo Mehta Menon Mishra
    Mukherjee Nair Naidu Pai Pandey Patel Patil Pereira Pillai Prasad Rao Reddy Saxena Sen Shah Sharma Shetty
    Siddiqui Singh Sinha Subramaniam Thomas Tiwari Trivedi Varma Verma Yadav
"""
_STREETS = ("MG Road", "Church Street", "Temple Street", "Lake View", "Gandhi Nagar", "Station Road", "Rose Garden")


@dataclass(frozen=True)
class Person:
    """A patient of the demo."""

    name: str
    sex: str
    birth_year: int
    phone: str
    address: str


def patients(year: int, count: int = PATIENTS) -> Iterator[Person]:
    """So many people, the same in every demo of a year; families share a phone and an address now and then."""
    chance = Random(2026)
    women, men, families = _WOMEN.split(), _MEN.split(), _FAMILIES.split()
    home = ("", "", "")
    for index in range(count):
        sex, names = ("female", women) if chance.random() < 0.56 else ("male", men)
        if index == 0 or chance.random() > 0.15:
            phone = f"+9198{chance.randrange(10, 99)}{index:06d}"
            home = (chance.choice(families), phone, f"{chance.randrange(1, 240)}, {chance.choice(_STREETS)}")
        age = chance.randrange(GROWN_UP) if chance.random() < 0.28 else int(chance.triangular(GROWN_UP, 92, 36))
        yield Person(f"{chance.choice(names)} {home[0]}", sex, year - age, home[1], home[2])
